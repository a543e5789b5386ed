import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Lookup, livePolicy, WebRefused, webPolicy } from '../../../../actors/tools/web/web-policy.ts';
import { openingIn, originOf, plainHost, type WebRules, WebRules as WebSection } from '../../../../roster/web-schema.ts';

type Given = Parameters<typeof WebSection.parse>[0];
const rules = (given: Given = {}): WebRules => WebSection.parse(given);
const names: Record<string, string[]> = {
  localhost: ['127.0.0.1', '::1'],
  'public.test': ['93.184.216.34'],
  'both.test': ['93.184.216.34', '10.0.0.7'],
  'intranet.test': ['10.0.0.7'],
  'mapped.test': ['::ffff:10.0.0.7'],
  'none.test': [],
};
const lookup: Lookup = async (host) => {
  const found = names[host];
  if (!found) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};
const outcome = (given: Given, host: string, port = 80): Promise<string> =>
  webPolicy(rules(given), lookup)
    .resolve(host, port)
    .then(
      (found) => found.map(({ address }) => address).join(' '),
      (error) => (error instanceof WebRefused ? 'refused' : error.code),
    );

describe('without any opening', () => {
  it.each([
    ['public.test', '93.184.216.34'],
    ['PUBLIC.test.', '93.184.216.34'],
    ['1.1.1.1', '1.1.1.1'],
    ['[2606:4700::1111]', '2606:4700::1111'],
    ['2606:4700::1111', '2606:4700::1111'],
    ['nowhere.test', 'no-host'],
    ['none.test', 'no-host'],
    ['both.test', 'refused'],
    ['intranet.test', 'refused'],
    ['mapped.test', 'refused'],
    ['localhost', 'refused'],
    ['LOCALHOST', 'refused'],
    ['localhost.', 'refused'],
    ['a.b.localhost', 'refused'],
    ['127.0.0.1', 'refused'],
    ['127.0.0.1.', 'refused'],
    ['127.1', 'refused'],
    ['0x7f000001', 'refused'],
    ['0x7f.0.0.0x1', 'refused'],
    ['2130706433', 'refused'],
    ['0177.0.0.1', 'refused'],
    ['017700000001', 'refused'],
    ['0', 'refused'],
    ['0.0.0.0', 'refused'],
    ['%31%32%37.0.0.1', 'refused'],
    ['127。0。0。1', 'refused'],
    ['①②⑦.0.0.1', 'refused'],
    ['[::1]', 'refused'],
    ['::1', 'refused'],
    ['[0:0:0:0:0:0:0:1]', 'refused'],
    ['[::ffff:127.0.0.1]', 'refused'],
    ['[::ffff:7f00:1]', 'refused'],
    ['[64:ff9b::7f00:1]', 'refused'],
    ['[2002:7f00:1::]', 'refused'],
    ['[fe80::1%25eth0]', 'refused'],
    ['169.254.169.254', 'refused'],
    ['user@public.test', 'refused'],
    ['public.test/x', 'refused'],
    ['public.test:8080', 'refused'],
    ['public.test\\@localhost', 'refused'],
    ['public.\ntest', 'refused'],
    ['a b', 'refused'],
    ['', 'refused'],
    ['.', 'refused'],
  ])('%j: %s', async (host, expected) => {
    expect(await outcome({}, host)).toBe(expected);
  });
});

describe('an opening opens its place alone', () => {
  it.each([
    ['localhost', 'localhost', 80, true],
    ['localhost', 'LOCALHOST.', 8080, true],
    ['localhost', '127.0.0.1', 80, false],
    ['localhost:8080', 'localhost', 8080, true],
    ['localhost:8080', 'localhost', 8081, false],
    ['http://localhost:8080', 'localhost', 8080, true],
    ['http://localhost', 'localhost', 80, true],
    ['https://localhost', 'localhost', 80, false],
    ['127.0.0.1', '127.0.0.1', 5, true],
    ['127.0.0.1', '0x7f.1', 5, true],
    ['127.0.0.1', '[::ffff:127.0.0.1]', 5, true],
    ['127.0.0.1', '127.0.0.2', 5, false],
    ['127.0.0.1:80', '127.0.0.1', 80, true],
    ['127.0.0.1:80', '127.0.0.1', 81, false],
    ['::1', '[::1]', 5, true],
    ['[::1]:80', '[0::1]', 80, true],
    ['[::1]:80', '[::1]', 81, false],
    ['10.0.0.0/8', 'intranet.test', 80, true],
    ['10.0.0.0/8', 'mapped.test', 80, true],
    ['10.0.0.0/8', 'both.test', 80, true],
    ['10.0.0.0/8', '11.0.0.1', 80, true],
    ['10.0.0.0/8', '192.168.0.1', 80, false],
    ['10.0.0.0/30', 'intranet.test', 80, false],
    ['fc00::/7', '[fd00::1]', 80, true],
    ['fc00::/7', '[fe80::1]', 80, false],
    ['intranet.test', 'intranet.test', 80, true],
    ['10.0.0.7', 'intranet.test', 80, true],
    ['intranet.test', '10.0.0.7', 80, false],
    ['intranet.test', 'sub.intranet.test', 80, false],
  ])('%s: %s on %d: %s', async (opening, host, port, opened) => {
    const said = await outcome({ open: [opening] }, host, port);
    expect([said === 'refused' || said === 'no-host' ? 'closed' : 'open', said]).toEqual([opened ? 'open' : 'closed', said]);
  });
});

test('a refusal names the host, the address, the sort of range, and the line of the roster that opens it', async () => {
  const policy = webPolicy(rules(), lookup);
  const refusal = (await policy.resolve('intranet.test', 8443).catch((error) => error)) as WebRefused;
  expect(refusal).toBeInstanceOf(WebRefused);
  expect(refusal.message).toMatch(/intranet\.test leads to 10\.0\.0\.7.*private.*web: \{ open: \["intranet\.test:8443"\] \}/);
  const opened = webPolicy(rules({ open: ['intranet.test:8443'] }), lookup);
  expect(await opened.resolve('intranet.test', 8443)).toEqual([{ address: '10.0.0.7', family: 4 }]);
  const six = (await policy.resolve('[::1]', 80).catch((error) => error)) as WebRefused;
  expect(six.message).toContain('web: { open: ["[::1]:80"] }');
});

test('the line of a refusal opens what was refused, whatever the host and the port', async () => {
  const host = fc.constantFrom(
    'localhost',
    '127.0.0.1',
    '0x7f.2',
    '[::1]',
    '[fe80::1]',
    '10.2.3.4',
    'intranet.test',
    'x.localhost',
  );
  await fc.assert(
    fc.asyncProperty(host, fc.integer({ min: 1, max: 65_535 }), async (name, port) => {
      const refusal = (await webPolicy(rules(), lookup)
        .resolve(name, port)
        .catch((error) => error)) as WebRefused;
      const line = /open: \["([^"]+)"\]/.exec(refusal.message)![1]!;
      expect(await outcome({ open: [line] }, name, port)).not.toMatch(/refused|no-host/);
      expect(await outcome({ open: [line] }, name, (port % 65_535) + 1)).toBe('refused');
    }),
  );
});

describe('verdicts', () => {
  const shop = new URL('https://shop.test/cart');
  const other = new URL('https://other.test/');
  it('ask about everything by default', () => {
    const policy = webPolicy(rules());
    for (const action of ['leave', 'submit', 'buy', 'delete', 'upload'] as const)
      expect(policy.verdict(action, shop)).toBe('ask');
  });
  it('let agents go to listed origins, which are told apart by scheme, host and port', () => {
    const policy = webPolicy(rules({ origins: ['https://Shop.test.:443/'], on: { leave: 'deny' } }));
    expect(policy.verdict('leave', shop)).toBe('allow');
    expect(policy.verdict('leave', new URL('https://shop.test./x'))).toBe('allow');
    expect(policy.verdict('submit', shop)).toBe('ask');
    for (const url of ['http://shop.test', 'https://shop.test:444', 'https://a.shop.test', 'https://shop.test.evil.test'])
      expect(policy.verdict('leave', new URL(url))).toBe('deny');
  });
  it('of an origin win over those for all, and over the list', () => {
    const policy = webPolicy(
      rules({
        origins: ['https://shop.test'],
        on: { buy: 'deny' },
        per_origin: { 'https://shop.test': { buy: 'allow', leave: 'deny' } },
      }),
    );
    expect([policy.verdict('buy', shop), policy.verdict('buy', other)]).toEqual(['allow', 'deny']);
    expect([policy.verdict('leave', shop), policy.verdict('submit', shop)]).toEqual(['deny', 'ask']);
  });
  it('never count an address of another scheme as listed', () => {
    const policy = webPolicy(rules({ origins: ['https://shop.test'] }));
    for (const url of ['file:///etc/passwd', 'data:text/html,x', 'about:blank', 'ws://shop.test'])
      expect(policy.isListed(new URL(url))).toBe(false);
  });
});

test.each(['https://a.test/x', 'a.test', 'ftp://a.test', 'https://u:p@a.test', 'https://a.test?q', 'https://*.a.test/x', ''])(
  'the roster takes no origin %j',
  (text) => {
    expect(WebSection.safeParse({ origins: [text] }).success).toBe(false);
    expect(WebSection.safeParse({ per_origin: { [text]: { buy: 'deny' } } }).success).toBe(false);
  },
);

test.each(['10.0.0.0/33', '::/129', 'a b', 'a.test:0', 'a.test:65536', 'a.test/x', 'ftp://a.test', '/8', 'a:b:c', ''])(
  'the roster takes no opening %j',
  (text) => {
    expect(openingIn(text)).toBeNull();
    expect(WebSection.safeParse({ open: [text] }).success).toBe(false);
  },
);

test('a host has one spelling, and keeps it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.string()), (text) => {
      const plain = plainHost(text);
      if (plain !== null) expect(plainHost(plain)).toBe(plain);
    }),
  );
  fc.assert(
    fc.property(fc.webUrl(), (text) => {
      const origin = originOf(new URL(text));
      expect(origin && originOf(new URL(origin))).toBe(origin);
    }),
  );
});

test('a changed roster is a changed policy', async () => {
  let now = rules();
  const policy = livePolicy(() => now, lookup);
  await expect(policy().resolve('localhost', 80)).rejects.toThrow(WebRefused);
  expect(policy()).toBe(policy());
  now = rules({ open: ['localhost'] });
  expect(await policy().resolve('localhost', 80)).toHaveLength(2);
});

test('the system itself looks names up where nothing else is given', async () => {
  const found = await webPolicy(rules({ open: ['localhost'] })).resolve('localhost', 80);
  expect(found.map(({ address }) => address)).toContain('127.0.0.1');
  await expect(webPolicy(rules()).resolve('no-such-name.invalid', 80)).rejects.toMatchObject({ code: 'no-host' });
});
