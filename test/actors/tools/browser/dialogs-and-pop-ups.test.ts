/** An agent answers what pages ask beside their content: questions, further pages, choices of files. */
import { createHash } from 'node:crypto';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Outdated } from '../../../../actors/tools/tool.ts';
import { type OpenBrowser, openBrowser } from '../../../support/open-browser.ts';
import { type Site, site } from '../../../support/site.ts';

let shop: Site;
let other: Site;
let browser: OpenBrowser;

beforeAll(async () => {
  other = await site({ '/': '<h1>Another site</h1>' });
  shop = await site({
    '/confirm': `<button onclick="document.title = confirm('Archive 3 letters?')">Archive</button>`,
    '/delete': `<button onclick="document.title = confirm('${'Very '.repeat(30)} sure? This will delete 3 letters.')">Go on</button>`,
    '/prompt': `<button onclick="document.title = [confirm('With a name?'), prompt('Which name?', 'proposed')].join()">Name it</button>`,
    '/changing': `<button onclick="window.n = (window.n ?? 0) + 1; document.title = confirm('Number ' + n + '?')">Ask</button>`,
    '/trap': `<button onclick="while (confirm('Again?'));">Go</button>`,
    '/late': `<h1>Late</h1><button onclick="document.title = confirm('Now?')">Ask</button>
      <script>addEventListener('message', () => { document.title = confirm('Now?') })</script>`,
    '/opener': `<h1>Opener</h1><button onclick="window.open('/child')">Open</button><button onclick="window.open('${other.url}/')">Elsewhere</button>`,
    '/child': '<h1>Child</h1>',
    '/chooser': `<h1>Files</h1><form action=/send method=post enctype=multipart/form-data><input id=file name=file type=file style="display:none">
      <button type=button onclick="file.click()">Choose a picture</button><p id=out></p></form>
      <script>file.onchange = () => { out.textContent = 'Has ' + file.files[0].name + ' ' + file.files[0].type }</script>`,
    '/loose': `<h1>Loose</h1><button onclick="const f = document.createElement('input'); f.type = 'file'; f.onchange = () => { document.title = f.files[0].name }; f.click()">Choose</button>`,
  });
  browser = await openBrowser({ open: ['127.0.0.1'], origins: [shop.url] });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await shop?.stop();
  await other?.stop();
});
const open = (path: string) => browser.say('goto', { url: `${shop.url}${path}` });
const title = async () => (await browser.taskPage()).page.title();

describe('a question of the page', () => {
  it('is dismissed and told, and the same call answers it, whether it names the element by its words or its ref', async () => {
    const ref = /(\w+) button "Archive"/.exec(await open('/confirm'))![1]!;
    expect(await browser.say('click', { target: 'Archive' })).toContain(
      '(The page showed a question: "Archive 3 letters?". It was dismissed. To answer it, make the same call again with dialog: "accept".)',
    );
    expect(await title()).toBe('false');
    expect(await browser.say('click', { target: ref, dialog: 'accept' })).toContain('It was accepted.)');
    expect(await title()).toBe('true');
    expect(await browser.say('click', { target: 'Archive', dialog: 'dismiss' })).toContain('It was dismissed.)');
    expect(await title()).toBe('false');
  });

  it('is not accepted by an agent that has not read it', async () => {
    await open('/late');
    expect(await browser.say('click', { target: 'Ask', dialog: 'accept' })).toContain('make the same call again');
    expect(await title()).toBe('false');
    await open('/changing');
    for (let i = 0; i < 3; i++) {
      expect(await browser.say('click', { target: 'Ask', dialog: 'accept' })).toContain('It was dismissed. To answer it');
      expect(await title()).toBe('false');
    }
  });

  it('is not answered when the page asks it again by itself, after the call', async () => {
    await open('/late');
    await browser.run('click', { target: 'Ask' });
    await browser.run('click', { target: 'Ask', dialog: 'accept' });
    expect(await title()).toBe('true');
    await (await browser.taskPage()).page.evaluate('postMessage(1)');
    await expect.poll(title).toBe('false');
  });

  it('that says what it deletes is shown to the operator before it is accepted', async () => {
    await open('/delete');
    expect((await browser.preview('click', { target: 'Go on' })).ask).toBe(false);
    await browser.run('click', { target: 'Go on' });
    const { ask, text, base } = await browser.preview('click', { target: 'Go on', dialog: 'accept' });
    expect(ask).toBe(true);
    expect(text).toContain('may delete something at');
    expect(text).toContain('It answers what the page asks then with "accept":\n| Very Very');
    expect((await browser.preview('click', { target: 'Go on', dialog: 'dismiss' })).ask).toBe(false);
    await expect(browser.run('click', { target: 'Go on', dialog: 'yes' }, base)).rejects.toBeInstanceOf(Outdated);
    await browser.run('click', { target: 'Go on', dialog: 'accept' }, base);
    expect(await title()).toBe('true');
  });

  it('for a text gets it, after the questions before it', async () => {
    await open('/prompt');
    await browser.run('click', { target: 'Name it' });
    const said = await browser.say('click', { target: 'Name it', dialog: 'Ada' });
    expect(said).toContain('"With a name?". It was accepted.');
    expect(said).toContain('"Which name?". It was given the text.');
    expect(await title()).toBe('true,Ada');
    await browser.run('press', { key: 'Enter', target: 'Name it' });
    await browser.run('press', { key: 'Enter', target: 'Name it', dialog: 'accept' });
    expect(await title()).toBe('true,proposed');
  });

  it('that comes for ever closes the page, also when it is accepted', async () => {
    await open('/trap');
    await browser.run('click', { target: 'Go' });
    const said = `${await browser.say('click', { target: 'Go', dialog: 'accept' })}\n${await browser.say('snapshot', {})}`;
    expect(said).toContain('it went on showing dialogs');
    expect(await open('/child')).toContain('# Child');
  }, 60_000);
});

describe('a page that a page opens', () => {
  const closeAll = async () => {
    while ((await browser.taskPage()).pages.length > 1) await browser.say('goto', { url: 'close' });
  };

  it('is the current one, and its opener can be gone back to; both are named', async () => {
    await open('/opener');
    const said = await browser.say('click', { target: 'Open' });
    const [, child, opener] = /current one now: page (\d+) \(goto with url "page (\d+)" goes back/.exec(said)!;
    expect(said).toContain('# Child');
    const back = await browser.say('goto', { url: `page ${opener}` });
    expect(back).toContain('# Opener');
    expect(back).toContain(`(Open are page ${opener} (this one), page ${child} ${shop.url}/child.`);
    expect(await browser.say('snapshot', {})).toContain('# Opener');
    expect(await browser.say('goto', { url: `page ${child}` })).toContain('# Child');
    const closed = await browser.say('goto', { url: 'close' });
    expect(closed).toContain('# Opener');
    expect(closed).toContain(`is the current one again: page ${opener}`);
    expect(closed).not.toContain('Open are');
    expect(await browser.say('goto', { url: `page ${child}` })).toContain(`page ${child} is not open. No other page is open`);
    expect(await browser.say('goto', { url: 'close' })).toContain('this is the only page that is open');
  });

  it('is not shown where the task may not be, until the operator allows it', async () => {
    await open('/opener');
    const said = await browser.say('click', { target: 'Elsewhere' });
    expect(said).not.toContain('Another site');
    const number = /current one now: page (\d+)/.exec(said)![1]!;
    await browser.say('goto', { url: `page ${Number(number) - 1}` });
    const { ask, text, base } = await browser.preview('goto', { url: `page ${number}` });
    expect(ask).toBe(true);
    expect(text).toContain(`It opens ${other.url}/`);
    expect((await browser.run('goto', { url: `page ${number}` }, base)).text).toContain('# Another site');
    await closeAll();
  });

  it('is not opened again after a crash, and the agent is told', async () => {
    await open('/opener');
    await browser.run('click', { target: 'Open' });
    const { context } = await browser.taskPage();
    const root = await context.browser()!.newBrowserCDPSession();
    const { processInfo } = await root.send('SystemInfo.getProcessInfo');
    process.kill(processInfo.find(({ type }) => type === 'browser')!.id, 'SIGKILL');
    const said = await browser.say('snapshot', {});
    expect(said).toMatch(/opened again at .*child\. Lost are .*1 further open page/);
  }, 60_000);
});

describe('a page that asks for a file', () => {
  const target = 'file chooser';
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  it('gets one of the workspace, which the operator sees by name, size, sha256 and beginning', async () => {
    await writeFile(join(browser.workspace, 'me.csv'), 'name,email\nAda,a@b.example\n');
    await open('/chooser');
    expect(await browser.say('click', { target: 'Choose a picture' })).toContain(
      '(The page asks for a file. No file was given to it. To give one, call fill with target "file chooser" and `file`.)',
    );
    const { ask, text, base } = await browser.preview('fill', { target, file: 'me.csv' });
    expect(ask).toBe(true);
    expect(text).toContain(`The fill of the file chooser gives a file to ${shop.url}/send.`);
    expect(text).toContain('The file: me.csv, 27 bytes, text/plain, from me.csv\n');
    expect(text).toContain(`Its sha256: ${sha256('name,email\nAda,a@b.example\n')}\n`);
    expect(text).toContain('It begins with:\n| name,email\n| Ada,a@b.example\n');
    await writeFile(join(browser.workspace, 'me.csv'), 'something else');
    await expect(browser.run('fill', { target, file: 'me.csv' }, base)).rejects.toBeInstanceOf(Outdated);
    const { text: said, changes } = await browser.run('fill', { target, file: 'me.csv' });
    expect(said).toContain('Gave me.csv to the file chooser.');
    expect(said).toContain('Has me.csv text/plain');
    expect(changes).toEqual([{ target: `me.csv to ${shop.url}/chooser`, kind: 'uploaded' }]);
  });

  it('gets an artifact of the same tree by its ref', async () => {
    await open('/loose');
    await browser.run('screenshot', {});
    await browser.run('click', { target: 'Choose' });
    const last = browser.kept.length - 1;
    const ref = `k3xq.1/s1-0/made-${last}`;
    expect((await browser.preview('fill', { target, file: ref })).text).toContain(
      `The file: page.png, ${browser.kept[last]!.length} bytes`,
    );
    await browser.run('fill', { target, file: ref });
    expect(await title()).toBe('page.png');
  });

  it('gets no file from elsewhere, and none where it asks for none', async () => {
    await symlink('/etc/passwd', join(browser.workspace, 'link'));
    await open('/chooser');
    expect(await browser.say('fill', { target, file: 'me.csv' })).toContain('the page asks for no file now');
    await browser.run('click', { target: 'Choose a picture' });
    for (const file of ['/etc/passwd', '../../etc/passwd', 'link'])
      expect(await browser.say('fill', { target, file })).toMatch(/outside the workspace/);
    expect(await browser.say('fill', { target: 'Choose a picture', file: 'me.csv' })).toContain(
      'takes no file. Where it opens a choice of files, click it first; then fill with target "file chooser"',
    );
    expect(shop.sent).toEqual([]);
  });
});
