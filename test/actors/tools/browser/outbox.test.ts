/** Nothing is sent by a page unless the rules or the operator have let the present act send it, whatever script sends it. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { browserTools } from '../../../../actors/tools/browser/browser-tools.ts';
import { outboxOf } from '../../../../actors/tools/browser/outbox.ts';
import { webPolicy } from '../../../../actors/tools/web/web-policy.ts';
import { WebRules } from '../../../../roster/web-schema.ts';
import { type OpenBrowser, openBrowser } from '../../../support/open-browser.ts';
import { type Answer, type Site, site } from '../../../support/site.ts';

let shop: Site;
let other: Site;
let asks: OpenBrowser;
let denies: OpenBrowser;
let allows: OpenBrowser;
/** The requests that the other site has got. */
const got: string[] = [];

const noted: Answer = ({ url }, response) => {
  got.push(url!);
  response.end();
};
const form = (more: string, attributes = '') =>
  `<form id=f action=/send method=post ${attributes}><label>Name <input name=name></label>${more}</form>`;
const pages: Readonly<Record<string, string>> = {
  '/link': `${form('')}<a href=# onclick="f.submit(); return false">Next</a>`,
  '/request-submit': form('<div role=button tabindex=0 onclick="f.requestSubmit()">Next</div>'),
  '/outside': `${form('')}<button type=button onclick="HTMLFormElement.prototype.submit.call(f)">Next</button>`,
  '/new-page': `${form('', 'target=_blank')}<a href=# onclick="f.submit(); return false">Next</a>`,
  '/hidden-frame': `<iframe name=out hidden></iframe>${form('', 'target=out')}<a href=# onclick="f.submit(); return false">Next</a>`,
  '/fetch': `${form('')}<button type=button onclick="fetch('/send', { method: 'POST', body: new FormData(f) })">Next</button>`,
  '/json': `${form('')}<button type=button
    onclick="fetch('/send', { method: 'PUT', body: JSON.stringify({ name: f.name.value ?? f.elements[0].value }) })">Next</button>`,
  '/beacon': `${form('')}<button type=button onclick="navigator.sendBeacon('/send', f.elements[0].value)">Next</button>`,
};
const typing: Readonly<Record<string, string>> = {
  '/by-input': '<form action=/send method=post><label>Name <input name=name oninput="this.form.submit()"></label></form>',
  '/by-box':
    '<form action=/send method=post><label><input type=checkbox name=ok onchange="this.form.submit()"> Name</label></form>',
};

beforeAll(async () => {
  other = await site({
    '/': '<h1>Another site</h1>',
    '/plain': noted,
    '/pixel': noted,
    '/blob': `<script>location = URL.createObjectURL(new Blob(['<h1>Another site</h1>'], { type: 'text/html' }))</script>`,
    '/writes': `<script>const page = open('about:blank'); page.document.write('<h1>Another site</h1>')</script><h1>Writer</h1>`,
  });
  shop = await site({
    ...pages,
    ...typing,
    '/list':
      '<form action=/send method=post><label>City <select name=city onchange="this.form.submit()"><option>Aachen<option>Berlin</select></label></form>',
    '/frame': `<iframe srcdoc="<form action=/send method=get><input name=x value=1></form><script>document.querySelector('input').focus()</script>"></iframe>`,
    '/by-itself': `<h1>Itself</h1>${form('')}<script>setTimeout(() => f.submit())</script>`,
    '/elsewhere': `<form id=f action=/send method=post onsubmit="f.action = '${other.url}/'"><label>Name <input name=name></label><button>Next</button></form>`,
    '/secret': `${form('<label>Password <input type=password name=password></label>')}<a href=# onclick="f.submit(); return false">Next</a>`,
    '/talks': `<label>Name <input name=name></label><button onclick="fetch('/send', { method: 'POST', body: 'more' })">Next</button>`,
    '/gone-blob': `<button onclick="location = '${other.url}/blob'">Next</button>`,
    '/gone-writes': `<button onclick="location = '${other.url}/writes'">Next</button>`,
    '/storm': `<h1>Storm</h1><script>setInterval(() => { for (let i = 0; i < 200; i++) fetch('/none') }, 10)</script>`,
    '/send': '<h1>Sent</h1>',
    '/sent-on': '<form action=/on method=post><label>Name <input name=name></label><button>Next</button></form>',
    '/on': (_, response) => response.writeHead(307, { location: `${other.url}/` }).end(),
    '/later': `<form action=/send method=post onsubmit="event.preventDefault(); fetch('/send', { method: 'POST', body: n.value });
      fetch('${other.url}/', { method: 'POST', mode: 'no-cors', body: n.value })"><label>Name <input id=n></label><button>Next</button></form>`,
    '/pixel': `<label>Name <input id=n></label><button onclick="new Image().src = '${other.url}/plain';
      new Image().src = '${other.url}/pixel?' + encodeURIComponent(n.value)">Next</button>`,
  });
  const open = [shop, other].map(({ url }) => new URL(url).host);
  asks = await openBrowser({ open, origins: [shop.url] });
  allows = await openBrowser({ open, origins: [shop.url], on: { submit: 'allow' } });
  denies = await openBrowser({ open, origins: [shop.url], on: { submit: 'deny', leave: 'deny' } });
}, 60_000);
afterAll(async () => {
  await asks?.close();
  await denies?.close();
  await allows?.close();
  await shop?.stop();
  await other?.stop();
});
const next = { target: 'Next' };
const newOnes = async (run: () => Promise<unknown>): Promise<readonly string[]> => {
  const before = shop.sent.length + other.sent.length;
  await run();
  return [...shop.sent, ...other.sent].slice(before);
};

describe('what a click sends by a script', () => {
  it.each(Object.keys(pages))('%s is stopped, and sent when the operator has been asked', async (path) => {
    await asks.say('goto', { url: `${shop.url}${path}` });
    await asks.run('fill', { target: 'Name', value: 'Ada Lovelace' });
    expect((await asks.preview('click', next)).ask).toBe(false);
    const stopped = await newOnes(async () => {
      const { text, changes } = await asks.run('click', next);
      // A beacon leaves when the page has time.
      const said = path === '/beacon' ? `${text}\n${await asks.say('snapshot', {})}` : text;
      expect(said).toMatch(/\(The page wanted to send (a form|data) to .*nobody has been asked/);
      expect(changes?.map(({ kind }) => kind)).toEqual(['clicked']);
    });
    expect(stopped).toEqual([]);
    const { ask, text, base } = await asks.preview('click', next);
    expect(ask).toBe(true);
    expect(text).toContain(`sends a form to ${shop.url}/send.`);
    expect(text).toMatch(/\n\| .*Ada Lovelace/);
    const sent = await newOnes(async () => {
      const { changes } = await asks.run('click', next, base);
      // A beacon is no submission: nobody hears what became of it.
      if (path !== '/beacon') expect(changes).toEqual([{ target: `${shop.url}/send`, kind: 'submitted' }]);
    });
    expect(sent).toHaveLength(1);
  });

  it.each(Object.keys(pages))('%s is stopped where the rules deny it', async (path) => {
    await denies.say('goto', { url: `${shop.url}${path}` });
    await denies.run('fill', { target: 'Name', value: 'Ada' });
    const sent = await newOnes(async () => {
      const said = `${await denies.say('click', next)}\n${await denies.say('snapshot', {})}`;
      expect(said).toContain("the operator's rules deny it");
    });
    expect(sent).toEqual([]);
  });

  it('is shown without passwords', async () => {
    await asks.say('goto', { url: `${shop.url}/secret` });
    await asks.run('fill', { target: 'Password', value: 'hunter2 & co' });
    await asks.run('click', next);
    const { text } = await asks.preview('click', next);
    expect(text).toContain('| name: , password: ••••••');
    expect(text).not.toContain('hunter2');
  });

  it('is let through where it has nothing that the task has typed', async () => {
    await asks.say('goto', { url: `${shop.url}/talks` });
    await asks.run('fill', { target: 'Name', value: 'Ada' });
    expect(await newOnes(() => asks.run('click', next))).toEqual(['POST /send more']);
  });
});

it.each(Object.keys(typing))('filling in sends nothing, also where the page wants to: %s', async (path) => {
  await asks.say('goto', { url: `${shop.url}${path}` });
  const sent = await newOnes(async () =>
    expect(await asks.say('fill', { target: 'Name', value: 'on' })).toContain('filling in sends nothing'),
  );
  expect(sent).toEqual([]);
});

test('where pages may send forms unasked, filling in counts as a call that writes, and what is sent by it is listed', async () => {
  const toolsOf = (on: object) =>
    browserTools({
      pages: { pageFor: () => Promise.reject(new Error('no page')) },
      policy: () => webPolicy(WebRules.parse({ on })),
    });
  const effects = (on: object, name: string, args: object) => toolsOf(on).find((tool) => tool.name === name)!.effectsOf!(args);
  for (const [name, args] of [
    ['fill', { target: 'Name', value: 'on' }],
    ['select', { target: 'City', option: 'Berlin' }],
  ] as const) {
    expect(effects({ submit: 'ask' }, name, args)).toBe('idempotent');
    expect(effects({ submit: 'allow' }, name, args)).toBe('writes');
  }
  expect(effects({ submit: 'ask' }, 'fill', { target: 'Name', file: 'a.txt' })).toBe('writes');
  await allows.say('goto', { url: `${shop.url}/list` });
  const { changes } = await allows.run('select', { target: 'City', option: 'Berlin' });
  expect(changes).toEqual([
    { target: `combobox "City" at ${shop.url}/send`, kind: 'filled' },
    { target: `${shop.url}/send`, kind: 'submitted' },
  ]);
});

test('choosing sends nothing', async () => {
  await asks.say('goto', { url: `${shop.url}/list` });
  expect(await newOnes(() => asks.run('select', { target: 'City', option: 'Berlin' }))).toEqual([]);
});

test('a page that sends its form by itself is stopped, and goes on when the operator has been asked about the page', async () => {
  const url = `${shop.url}/by-itself`;
  expect(await newOnes(async () => expect(await asks.say('goto', { url })).toContain('wanted to send a form'))).toEqual([]);
  expect((await asks.preview('goto', { url })).ask).toBe(true);
  expect(await newOnes(() => asks.run('goto', { url }))).toEqual(['POST /send name=']);
}, 30_000);

test('a form that is sent elsewhere than the operator was told is stopped', async () => {
  await asks.say('goto', { url: `${shop.url}/elsewhere` });
  const { base } = await asks.preview('click', next);
  expect(await newOnes(() => asks.run('click', next, base))).toEqual([]);
  expect((await asks.preview('click', next)).text).toContain(`sends a form to ${other.url}/`);
});

test('a form that is sent on by a redirect to another origin is stopped by the proxy', async () => {
  await asks.say('goto', { url: `${shop.url}/sent-on` });
  const { base } = await asks.preview('click', next);
  const sent = await newOnes(async () => {
    const said = `${await asks.run('click', next, base).then(({ text }) => text, String)}\n${await asks.say('snapshot', {})}`;
    expect(said).toContain(`a redirect would send a form on to ${other.url}`);
  });
  expect(sent).toEqual(['POST /on name=']);
});

test('what an operator has allowed ends with the call, and does not reach other origins', async () => {
  await asks.say('goto', { url: `${shop.url}/later` });
  await asks.run('fill', { target: 'Name', value: 'Ada Lovelace' });
  const { ask, base } = await asks.preview('click', next);
  expect(ask).toBe(true);
  const { page, context } = await asks.taskPage();
  const sent = await newOnes(async () => {
    const { text } = await asks.run('click', next, base);
    expect(text).toContain(`wanted to send data to ${other.url}/`);
  });
  expect(sent).toEqual(['POST /send Ada Lovelace']);
  const outbox = await outboxOf(
    context,
    () => webPolicy(WebRules.parse({})),
    () => false,
  );
  outbox.end(0);
  expect(await newOnes(() => page.evaluate("fetch('/send', { method: 'POST', body: 'Ada Lovelace' }).catch(() => {})"))).toEqual(
    [],
  );
});

test('what was typed does not leave in the address of a picture of another origin', async () => {
  await asks.say('goto', { url: `${shop.url}/pixel` });
  await asks.run('fill', { target: 'Name', value: 'Ada Lovelace' });
  const said = await asks.say('click', next);
  expect(said).toContain(`wanted to send data to ${other.url}/pixel?Ada%20Lovelace`);
  expect(said).not.toContain('plain');
  expect(got).toEqual(['/plain']);
});

test('Enter without an element goes to the frame that has the focus, and counts by the form there', async () => {
  await asks.say('goto', { url: `${shop.url}/frame` });
  expect((await asks.preview('press', { key: 'Enter' })).ask).toBe(true);
});

test.each(['/gone-blob', '/gone-writes'])('what another origin wrote itself is not shown: %s', async (path) => {
  await denies.say('goto', { url: `${shop.url}${path}` });
  const said = [await denies.say('click', next), await denies.say('snapshot', {}), await denies.say('extract', {})].join('\n');
  expect(said).toMatch(/not allowed for the task|no page is open/);
  expect(said).not.toContain('# Another site');
  expect(said).not.toContain('| Another site');
});

test('a page that makes requests without end is closed, and the next one opens', async () => {
  const said = [await asks.say('goto', { url: `${shop.url}/storm` })];
  for (let i = 0; i < 20 && !said.join().includes('was closed'); i++) said.push(await asks.say('snapshot', {}));
  said.push(await asks.say('goto', { url: `${shop.url}/send` }));
  expect(said.join('\n')).toContain('it made more than 2000 requests in 5 s');
  expect(said.at(-1)).toContain('| # Sent');
}, 60_000);
