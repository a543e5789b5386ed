/** Acts of a page beside its content are bounded and told to the model; the browser and its other pages stay. */
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CrewSession } from '../../../../actors/node/join.ts';
import { browserTools } from '../../../../actors/tools/browser/browser-tools.ts';
import type { Browsers } from '../../../../actors/tools/browser/browsers.ts';
import { maxDownloadBytes, maxPages } from '../../../../actors/tools/browser/page-limits.ts';
import type { TaskPage } from '../../../../actors/tools/browser/task-page.ts';
import type { Making } from '../../../../actors/tools/tool.ts';
import { webPolicy } from '../../../../actors/tools/web/web-policy.ts';
import { loopbackCertificate } from '../../../faults/certificate.ts';
import { type TestCrew, testCrew } from '../../../support/crew.ts';
import { rulesOf } from '../web/names.ts';
import { browsersOf, until } from './rig.ts';
import { openSite, type Site } from './site.ts';

let crew: TestCrew;
let joined: CrewSession;
let site: Site;
let browsers: Browsers;
let page: TaskPage;
let task = 0;
const signal = new AbortController().signal;

beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
  site = await openSite();
  browsers = browsersOf({ bus: joined.bus, folder: crew.folder, open: [site.url] });
});
afterAll(async () => {
  await browsers?.close();
  await site?.stop();
  await crew?.stop();
});
beforeEach(async () => {
  page = await again(`k3xq.${++task}`);
});
afterEach(() => browsers.ended(`k3xq.${task}`));

const again = (id = `k3xq.${task}`) => browsers.pageFor(id, signal);
const goto = (path: string, timeout = 20_000) => page.page.goto(`${site.url}${path}`, { waitUntil: 'domcontentloaded', timeout });
const told = () => page.notices().join('\n');
const stored: Making[] = [];
const store = async (made: Making) => {
  stored.push(made);
  const { name, type, bytes } = made;
  return { ref: `k3xq.1/s1-0/made-${stored.length}`, name, type, bytes: bytes.length, sha256: '' };
};

describe('dialogs', () => {
  it('are dismissed and reported', async () => {
    await goto('/dialogs');
    await page.page.click('button');
    expect(await page.page.title()).toBe('false,');
    const lines = told();
    expect(lines).toMatch(/an alert: "hello".*dismissed/);
    expect(lines).toMatch(/a question: "sure\?".*dismissed/);
    expect(lines).toMatch(/a question for text: "name\?".*dismissed/);
  });

  it('are answered only while the call runs that was asked before', async () => {
    await goto('/dialogs');
    page.dialogs.begin('a click', 'accept');
    await page.page.click('button');
    expect(await page.page.title()).toBe('false,');
    page.dialogs.begin('another click', 'accept');
    await page.page.click('button');
    expect(await page.page.title()).toBe('false,');
    page.dialogs.begin('a click', 'accept');
    await page.page.click('button');
    expect(await page.page.title()).toBe('true,');
    page.dialogs.end();
    await page.page.click('button');
    expect(await page.page.title()).toBe('false,');
  });

  it('without end close the page', async () => {
    await goto('/endless-dialogs');
    const trap = page.page;
    void trap.click('button').catch(() => {});
    await until(() => trap.isClosed());
    expect(told()).toContain('it went on showing dialogs');
    page = await again();
    await goto('/form');
    expect(await page.page.title()).toBe('Form');
  });

  it('that ask to stay are not obeyed', async () => {
    await goto('/stay');
    await page.page.fill('#i', 'typed');
    await goto('/form');
    expect(await page.page.title()).toBe('Form');
    expect(told()).toContain('it was left');
  });
});

describe('pop-ups', () => {
  it('become the current page, and give way when they are closed', async () => {
    await goto('/popup');
    const opener = page.page;
    await opener.click('button');
    await until(() => page.page !== opener);
    await page.page.waitForURL('**/form');
    expect(told()).toContain('opened another page');
    await page.page.close();
    await until(() => page.page === opener);
    expect(told()).toContain('was closed');
  });

  it('without end are closed, and then the page that opens them', async () => {
    await goto('/storm');
    const opener = page.page;
    await opener.click('button').catch(() => {});
    await until(() => opener.isClosed());
    page = await again();
    expect(page.pages.length).toBeLessThanOrEqual(maxPages + 1);
    expect(told()).toContain('it went on opening pages');
    await goto('/form');
    expect(await page.page.title()).toBe('Form');
  });

  it('leave an empty page when a page closes itself as the last', async () => {
    await goto('/form');
    await page.page.close();
    page = await again();
    await goto('/form');
    expect(await page.page.title()).toBe('Form');
  });
});

describe('downloads', () => {
  it('become artifacts of the call, and leave no file', async () => {
    await goto('/downloads');
    await page.page.click('#small');
    await until(async () => {
      await page.settle({ store });
      return stored.length > 0;
    });
    expect(stored.at(-1)).toMatchObject({ name: 'small.csv', type: 'text/plain', bytes: Buffer.from('a,b\n1,2\n') });
    expect(told()).toMatch(/Downloaded small\.csv, 8 B: it is the artifact k3xq\.1\/s1-0\/made-1/);
  });

  it('that have no end are cancelled at the limit', async () => {
    await goto('/downloads');
    await page.page.click('#endless');
    let lines = '';
    await until(async () => {
      await page.settle({ store });
      lines += told();
      return /endless\.bin failed/.test(lines);
    });
    expect(lines).toContain('larger than 67.1 MB');
    expect(stored.filter(({ bytes }) => bytes.length > maxDownloadBytes)).toEqual([]);
  });
});

it('the page as it is now is told to an operator who asks whether a click took place', async () => {
  await goto('/form');
  const [click] = browserTools({
    pages: browsers,
    policy: () => webPolicy(rulesOf({ origins: [site.url], open: [site.url] })),
  }).filter(({ name }) => name === 'click');
  const context = { task: `k3xq.${task}`, workspace: crew.folder, signal, idempotencyKey: 'x', store };
  expect(await click!.look!({ target: 'Send' }, context)).toMatch(
    /^The page now: http:.*\/form\. Picture: cox artifacts get \S+ -o page\.png$/,
  );
  expect(stored.at(-1)).toMatchObject({ type: 'image/png' });
});

it('a file chooser is reported and given nothing', async () => {
  await goto('/upload');
  await page.page.click('#f');
  await until(() => page.fileChooser() !== null);
  expect(told()).toContain('asks for a file');
});

describe('what a page may reach', () => {
  it('is only what the roster opens: addresses of this machine are refused, also by a redirect, and the model is told', async () => {
    const other = await openSite();
    try {
      await page.page.goto(other.url).catch(() => {});
      expect(told()).toMatch(/Refused: .*127\.0\.0\.1/);
      await goto(`/away?to=${encodeURIComponent(`${other.url}/form`)}`).catch(() => {});
      await goto('/');
      await page.page.evaluate(`fetch(${JSON.stringify(`${other.url}/form`)}, { mode: 'no-cors' }).catch(() => {})`);
      await page.page.evaluate(
        `new Promise((done) => { const s = new WebSocket(${JSON.stringify(other.url.replace('http', 'ws'))}); s.onclose = done; })`,
      );
      expect(other.requests).toEqual([]);
      expect(told()).toContain('Refused');
    } finally {
      await other.stop();
    }
  });

  it('has no position, and no service worker', async () => {
    await goto('/permissions');
    await until(async () => (await page.page.title()) === 'denied');
    await goto('/worker');
    await until(async () => (await page.page.title()) === 'asked');
    expect(page.context.serviceWorkers()).toEqual([]);
    expect(site.requests).not.toContain('GET /sw.js');
  });

  it('is nothing by WebRTC, which would go around the proxy', async () => {
    await goto('/form');
    const candidates = await page.page.evaluate(`new Promise(async (done) => {
      const peer = new RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:9' }] });
      const found = [];
      peer.onicecandidate = ({ candidate }) => candidate ? found.push(candidate.candidate) : done(found);
      peer.createDataChannel('out');
      await peer.setLocalDescription(await peer.createOffer());
    })`);
    expect(candidates).toEqual([]);
  });

  it('is no server whose certificate does not fit', async () => {
    const { certificate, key } = loopbackCertificate();
    const server = createTlsServer({ cert: certificate, key }, (_, response) => response.end('secret'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const own = browsersOf({ bus: joined.bus, folder: crew.folder, open: ['127.0.0.1'] });
    try {
      const { page: tls } = await own.pageFor('k3xq.900', signal);
      await expect(tls.goto(`https://127.0.0.1:${port}/`)).rejects.toThrow(/ERR_CERT/);
    } finally {
      await own.close();
      server.close();
      server.closeAllConnections();
    }
  });
});

describe('a page that takes too much', () => {
  it('of time, because it never ends, is cut by the time limit, and another page can be opened', async () => {
    await expect(page.page.goto(`${site.url}/endless.html`, { timeout: 1_500 })).rejects.toThrow(/Timeout/);
    await expect(goto('/silent', 1_000)).rejects.toThrow(/Timeout/);
    page = await again();
    await goto('/form');
    expect(await page.page.title()).toBe('Form');
  });

  it('of 50 MB is shown, or fails alone', async () => {
    await goto('/huge.html').catch(() => {});
    page = await again();
    await goto('/form');
    expect(await page.page.title()).toBe('Form');
  });

  it('of the processor is closed and opened again', async () => {
    await goto('/spin');
    const spinning = page.page;
    void spinning.click('button').catch(() => {});
    await until(() => site.requests.includes('GET /spinning'));
    page = await again();
    expect(page.page).not.toBe(spinning);
    expect(page.page.url()).toBe(`${site.url}/spin`);
    expect(told()).toMatch(/did not answer.*\n.*opened again/);
  });

  it('of the processor as soon as it is opened stays closed, and the task can go elsewhere', async () => {
    await goto('/spins').catch(() => {});
    page = await again();
    expect(page.page.url()).toBe('about:blank');
    expect(told()).toMatch(/opened again at .*, to no avail\. It stays closed/);
    await goto('/form');
    expect(await page.page.title()).toBe('Form');
  });

  it('of memory crashes alone', async () => {
    const other = await again('k3xq.901');
    await goto('/hungry');
    const hungry = page.page;
    const crashed = new Promise((resolve) => hungry.once('crash', resolve));
    // The page may be busy before it has told that it was clicked.
    void hungry.click('button').catch(() => {});
    await crashed;
    page = await again();
    expect(told()).toMatch(/crashed/);
    await goto('/form');
    expect(other.page.isClosed()).toBe(false);
    await browsers.ended('k3xq.901');
  });
});
