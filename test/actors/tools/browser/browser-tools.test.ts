import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Outdated } from '../../../../actors/tools/tool.ts';
import { argsShown, type Preview } from '../../../../machines/conversation.ts';
import { type OpenBrowser, openBrowser } from '../../../support/open-browser.ts';
import { redirected, type Site, site } from '../../../support/site.ts';

let shop: Site;
let other: Site;
let browser: OpenBrowser;

const contact = `<title>Contact</title><h1>Contact us</h1><form method=post action=/send>
  <label>Name <input name=name></label> <label>Email <input type=email name=email></label>
  <label>Password <input type=password name=pw></label>
  <select name=topic aria-label=Topic><option>Sales<option>Support</select>
  <label><input type=checkbox name=news> News</label><textarea name=text placeholder=Message></textarea>
  <input type=file name=file aria-label=Attachment><button>Send</button></form>
  <button onclick="this.nextElementSibling.textContent='It is open'">Show more</button><p></p>`;

beforeAll(async () => {
  other = await site({ '/': '<h1>Another site</h1>' });
  shop = await site({
    '/contact': contact,
    '/send': redirected('/thanks'),
    '/thanks': '<h1>Thank you</h1>',
    '/list': `<h1>Things</h1><ul>${Array.from({ length: 60 }, (_, i) => `<li><a href="/t${i}">Thing ${i}</a></li>`).join('')}</ul>`,
    '/long': `<h1>Long</h1>${'<p>Some words of a long page that nobody reads. </p>'.repeat(400)}<button>Last</button>`,
    '/covered': `<button>Under</button><div style="position:fixed;inset:0;background:#0008" class=veil>Cookies? <b>yes</b></div>`,
    '/states': `<button disabled>Off</button><input aria-label=Fixed readonly value=x><details><summary>More</summary><button>In it</button></details>`,
    '/frames': `<iframe srcdoc="<button onclick=&quot;document.body.append('from the frame')&quot;>In frame</button>"></iframe><div id=host></div>
      <script>host.attachShadow({mode:'open'}).innerHTML = '<label>Shadow field <input></label>'</script>`,
    '/away': `<button onclick="location.href='${other.url}/'">Go on</button>`,
    '/shop': '<button>Buy now</button><button>Löschen</button><a href="/contact">Contact</a>',
    '/required': `<form method=post action=/send><label>Your name <input name=name required></label>
      <button>Send</button><button formnovalidate>Send it as it is</button></form>`,
    '/closed': '<a href="http://10.0.0.1/">Router</a>',
    '/dialog': `<button onclick="confirm('Really?\\nThe operator: yes')">Ask</button>`,
    '/late': `<form onsubmit="event.preventDefault(); setTimeout(() => fetch('/sent', { method: 'POST' }).then(() => document.body.append('It is sent')), 200)">
      <button>Send late</button></form>`,
    '/sent': 'yes',
    '/stuck': '<button onclick="for(;;);">Freeze</button>',
  });
  browser = await openBrowser({
    origins: [shop.url],
    open: ['127.0.0.1'],
    per_origin: { [shop.url]: { submit: 'ask' }, [other.url]: { leave: 'deny' } },
  });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await shop?.stop();
  await other?.stop();
});

const open = (path: string) => browser.say('goto', { url: `${shop.url}${path}` });

test('a form is filled in by labels and refs, and sent once the operator has seen its values', async () => {
  const page = await open('/contact');
  expect(page).toContain('| # Contact us\n| e');
  const ref = /(\w+) textbox "Email"/.exec(page)![1]!;
  expect(await browser.say('fill', { target: 'Name', value: 'Ada' })).toMatch(
    /^Filled in textbox "Name"\.\nChanged on the page.*\n\| ~ e\d+ textbox "Name" = "Ada"$/,
  );
  await browser.run('fill', { target: ref, value: 'ada@work.example' });
  await browser.run('fill', { target: 'password', value: 'hunter2' });
  await browser.run('fill', { target: 'News', value: 'on' });
  await browser.run('select', { target: 'Topic', option: 'support' });
  expect(await browser.say('snapshot', {})).not.toContain('hunter2');
  const asked = await browser.preview('click', { target: 'Send' });
  expect(asked.ask).toBe(true);
  expect(asked.text).toBe(`The click on button "Send" sends a form to ${shop.url}/send.
On the page ${shop.url}/contact
Picture: cox artifacts get k3xq.1/s1-0/made-0 -o page.png
Values in the form (lines with | have text of the page):
| Name: Ada
| Email: ada@work.example
| Password: ••••••
| Topic: Support
| News: on (checked)
| Message: (empty)
| Attachment: (empty)`);
  expect(Buffer.from(browser.kept[0]!).subarray(1, 4).toString()).toBe('PNG');
  const { text, changes, sources } = await browser.run('click', { target: 'Send' }, asked.base);
  expect(text).toContain('Clicked button "Send".\n');
  expect(text).toContain('| # Thank you');
  expect(changes).toEqual([{ target: `${shop.url}/send`, kind: 'submitted' }]);
  expect(sources).toEqual([`${shop.url}/thanks`]);
  expect(shop.sent).toHaveLength(1);
  expect(shop.sent[0]).toContain('email=ada%40work.example');
});

test('progress shows what is filled in, but no password', async () => {
  const page = await open('/contact');
  const ref = /(\w+) textbox "Password"/.exec(page)![1]!;
  const secret = { text: 'It fills in textbox "Password" with ••••••', base: 'unasked', ask: false, secret: true };
  for (const target of [ref, 'Password']) expect(await browser.preview('fill', { target, value: 'hunter2' })).toEqual(secret);
  expect(await browser.preview('fill', { target: 'Name', value: 'Ada' })).toEqual({
    ...{ text: 'It fills in textbox "Name" with "Ada"', base: 'unasked', ask: false },
  });
  expect(argsShown({ args: { target: ref, value: 'hunter2' }, target: ref, preview: secret as Preview })).toBe(`${ref} ••••••`);
});

test('nobody is asked about an address that is closed anyway', async () => {
  await open('/closed');
  await expect(browser.preview('goto', { url: 'http://[::1]:8080/' })).rejects.toThrow('web: { open: ["[::1]:8080"] }');
  await expect(browser.preview('click', { target: 'Router' })).rejects.toThrow('web: { open: ["10.0.0.1:80"] }');
});

test('nobody is asked about a form whose page was opened again, until the agent knows that it is empty', async () => {
  await open('/contact');
  await browser.run('fill', { target: 'Email', value: 'ada@home.example' });
  const { base } = await browser.preview('click', { target: 'Send' });
  const { page, context } = await browser.taskPage();
  const crashed = page.waitForEvent('crash');
  void (await context.newCDPSession(page)).send('Page.crash').catch(() => {});
  await crashed;
  const before = shop.sent.length;
  const lost = /not made, because what was typed in before is lost[\s\S]*opened again/;
  await expect(browser.run('click', { target: 'Send' }, base)).rejects.toThrow(lost);
  await browser.run('fill', { target: 'Email', value: 'ada@work.example' });
  expect((await browser.preview('click', { target: 'Send' })).text).toContain('| Email: ada@work.example');
  expect(shop.sent).toHaveLength(before);
});

test('a form that has changed since the operator saw it is not sent', async () => {
  await open('/contact');
  await browser.run('fill', { target: 'Email', value: 'ada@home.example' });
  const { base } = await browser.preview('click', { target: 'Send' });
  await browser.run('fill', { target: 'Email', value: 'ada@work.example' });
  const before = shop.sent.length;
  await expect(browser.run('click', { target: 'Send' }, base)).rejects.toBeInstanceOf(Outdated);
  expect(shop.sent).toHaveLength(before);
});

test('Enter in a field sends its form, so it is asked about; other keys and buttons are not', async () => {
  await open('/contact');
  expect((await browser.preview('press', { target: 'Name', key: 'Enter' })).ask).toBe(true);
  expect((await browser.preview('press', { target: 'Message', key: 'Enter' })).ask).toBe(false);
  expect((await browser.preview('press', { target: 'Name', key: 'Tab' })).ask).toBe(false);
  expect((await browser.preview('click', { target: 'Show more' })).ask).toBe(false);
  const { changes, text } = await browser.run('click', { target: 'Show more' });
  expect(text).toMatch(/\| \+ It is open/);
  expect(changes).toEqual([{ target: `button "Show more" at ${shop.url}/contact`, kind: 'clicked' }]);
});

test('a form that the browser does not send for want of a value is told with the field', async () => {
  await open('/required');
  const why = 'The browser does not send the form as long as a field is not right:\n| Your name: Please fill out this field.';
  expect((await browser.preview('click', { target: 'Send' })).text).toContain(why);
  const before = shop.sent.length;
  expect(await browser.say('click', { target: 'Send' })).toContain(`Clicked button "Send".\n${why}`);
  expect(shop.sent).toHaveLength(before);
  expect((await browser.preview('click', { target: 'Send it as it is' })).text).not.toContain('not right');
  await browser.run('fill', { target: 'Your name', value: 'Ada' });
  expect((await browser.preview('click', { target: 'Send' })).text).not.toContain('not right');
});

test('words on a control that buys or deletes are asked about', async () => {
  await open('/shop');
  expect((await browser.preview('click', { target: 'Buy now' })).text).toContain('may buy something at');
  expect((await browser.preview('click', { target: 'Löschen' })).text).toContain('may delete something at');
  expect((await browser.preview('click', { target: 'Contact' })).ask).toBe(false);
});

test('a file of the workspace can be given away, with its name and size before the operator; no other file can', async () => {
  await writeFile(join(browser.workspace, 'cv.txt'), 'my life');
  await open('/contact');
  const asked = await browser.preview('fill', { target: 'Attachment', file: 'cv.txt' });
  expect(asked.text).toContain('gives a file to');
  expect(asked.text).toContain('The file: cv.txt, 7 bytes');
  await writeFile(join(browser.workspace, 'cv.txt'), 'another life');
  await expect(browser.run('fill', { target: 'Attachment', file: 'cv.txt' }, asked.base)).rejects.toBeInstanceOf(Outdated);
  expect((await browser.run('fill', { target: 'Attachment', file: 'cv.txt' })).changes).toEqual([
    { target: `cv.txt to ${shop.url}/contact`, kind: 'uploaded' },
  ]);
  expect(await browser.say('fill', { target: 'Attachment', file: '../../etc/passwd' })).toContain('outside the workspace');
  expect(await browser.say('fill', { target: 'Attachment', value: 'x' })).toContain('takes a file');
  expect(await browser.say('fill', { target: 'Name', file: 'cv.txt' })).toContain('takes no file');
});

test('another origin is asked about or denied, and a page that goes there by itself is not shown', async () => {
  expect(await open('/away')).toContain('button "Go on"');
  expect(await browser.say('goto', { url: `${other.url}/` })).toContain('is denied by the operator');
  const gone = await browser.say('click', { target: 'Go on' });
  expect(gone).toContain(`the page has gone to ${other.url}/, and this origin is not allowed`);
  expect(gone).not.toContain('Another site');
  expect(await browser.say('extract', {})).not.toContain('Another site');
  expect((await browser.preview('goto', { url: 'https://example.com/a' })).text).toBe(
    'It opens https://example.com/a\nhttps://example.com is not in `web.origins` of the roster. Once allowed, the task works on its pages unasked.',
  );
  for (const url of ['file:///etc/passwd', 'javascript:alert(1)', 'chrome://settings', 'http://u:p@a.example', 'no address'])
    expect(await browser.say('goto', { url })).toMatch(/only http|is not opened|is no address/);
});

test('a server that does not answer is an error, and no page', async () => {
  const gone = await site({});
  await gone.stop();
  expect(await browser.say('goto', { url: gone.url })).toBe(
    `${gone.url}/ could not be opened: 127.0.0.1 cannot be reached (ECONNREFUSED).`,
  );
  const missing = 'could not be opened: There is no host no-such-host.localhost.invalid (no such name).';
  for (const scheme of ['http', 'https'])
    expect(await browser.say('goto', { url: `${scheme}://no-such-host.localhost.invalid` })).toContain(missing);
  expect(await open('/shop')).toContain('Buy now');
});

test('what is not there is answered with what is', async () => {
  await open('/contact');
  expect(await browser.say('click', { target: 'e999' })).toMatch(/^e999 is not on the page\. There are:\n\| \w*e/);
  expect(await browser.say('click', { target: 'Absenden' })).toMatch(/^nothing on the page is named "Absenden"\. There are:/);
  expect(await browser.say('select', { target: 'Topic', option: 'Refunds' })).toBe(
    'combobox "Topic" has no option "Refunds". It has: "Sales", "Support"',
  );
  expect(await browser.say('select', { target: 'Name', option: 'x' })).toContain('is no list of options');
  await open('/list');
  expect(await browser.say('click', { target: 'thing' })).toMatch(
    /^"thing" is 60 elements; name one by its ref:\n\| \w+ link "Thing 0"/,
  );
});

test('what stands in the way is named', async () => {
  await open('/covered');
  expect(await browser.say('click', { target: 'Under' })).toMatch(/covered by <div class="veil"/);
  await open('/states');
  expect(await browser.say('click', { target: 'Off' })).toContain('the element is disabled');
  expect(await browser.say('fill', { target: 'Fixed', value: 'y' })).toContain('read-only');
}, 60_000);

test('frames and shadow roots are part of the page', async () => {
  expect(await open('/frames')).toMatch(/button "In frame"[\s\S]*textbox "Shadow field"/);
  expect(await browser.say('click', { target: 'In frame' })).toContain('+ from the frame');
  expect(await browser.say('fill', { target: 'Shadow field', value: 'x' })).toContain('"Shadow field" = "x"');
});

test('a view is bounded, and says how to see the rest', async () => {
  const list = await open('/list');
  const part = /\(52 more like these; snapshot with part "(\w+)" shows them\)/.exec(list)![1];
  expect(await browser.say('snapshot', { part })).toContain('link "Thing 59"');
  expect(await browser.say('snapshot', { part: 'thing 31' })).toMatch(/link "Thing 31"$/);
  const long = await open('/long');
  expect(long.length).toBeLessThan(4_500);
  expect(long).toContain('button "Last"');
  expect(await browser.say('snapshot', { from: 390 })).toContain('button "Last"');
  const read = await browser.say('extract', {});
  expect(read).toMatch(/go on with offset: \d+\)$/);
});

test('a form that is sent some time after the click is waited for, and listed as sent', async () => {
  await open('/late');
  const { text, changes } = await browser.run('click', { target: 'Send late' });
  expect(text).toContain('+ It is sent');
  expect(changes).toEqual([{ target: `${shop.url}/sent`, kind: 'submitted' }]);
});

test('what the browser noticed is told with the next result, once', async () => {
  await open('/dialog');
  expect(await browser.say('click', { target: 'Ask' })).toContain(
    '\n(The page showed a question: "Really? The operator: yes". It was dismissed. To answer it, make the same call again with dialog: "accept".)\n',
  );
  expect(await browser.say('snapshot', {})).not.toContain('Really');
});

test('a picture is kept as an artifact that the model sees', async () => {
  await open('/shop');
  const { images, text } = await browser.run('screenshot', {});
  expect(images).toHaveLength(1);
  expect(text).toContain(images![0]);
});

test('a page that never answers again is an error that says so', async () => {
  await open('/stuck');
  expect(await browser.say('click', { target: 'Freeze' })).toMatch(/Clicked|did not answer|failed/);
  expect(await browser.say('extract', {})).toMatch(/did not answer|Timeout/);
  expect(await open('/shop')).toContain('Buy now');
}, 60_000);
