/** A node's browser in a process of its own: `node browser-holder.ts <state folder>`. Prints `open` and waits to be killed. */
import { pino } from 'pino';
import { Browsers } from '../../../../actors/tools/browser/browsers.ts';
import { foldersOf } from '../../../../platform/folders.ts';

const [folder = ''] = process.argv.slice(2);
const browsers = new Browsers({
  folders: { ...foldersOf(process.env), state: folder },
  env: process.env,
  log: pino({ level: 'silent' }),
  kept: { read: async () => null, write: async () => 1 },
});
const { page } = await browsers.pageFor('k3xq.1', new AbortController().signal);
await page.goto('data:text/html,<title>Open</title><script>setTimeout(() => { for (;;); }, 100)</script>');
process.stdout.write('open\n');
setInterval(() => {}, 1_000);
