/**
 * Two figures about the tools for a browser (docs/performance.md): the time of a step by the tools against the same step with bare
 * playwright-core, and the size of what an agent is told of five pages of real size against their raw accessibility trees.
 * `node test/bench/browser.ts`. It never fails.
 */
import { estimateTokens } from '../../roster/tokens.ts';
import { openBrowser } from '../support/open-browser.ts';
import { site } from '../support/site.ts';

const words = 'the harbour opens at seven and closes when the last boat has come in with its nets and its crew'.split(' ');
const sentence = (from: number, length: number): string =>
  Array.from({ length }, (_, i) => words[(from * 7 + i * 3) % words.length]).join(' ');
const many = (count: number, one: (n: number) => string): string => Array.from({ length: count }, (_, n) => one(n)).join('');
const nav = `<nav><ul>${many(30, (n) => `<li><a href="/n${n}">Section ${n}</a></li>`)}</ul></nav>`;

/** An article, a shop, a front page with headlines, a table of figures, a form for an application. */
const pages = {
  article: `${nav}<h1>The harbour</h1>${many(25, (n) => `<h2>Part ${n}</h2>${many(5, (m) => `<p>${sentence(n + m, 60)} <a href="/ref${n}-${m}">[${n}]</a></p>`)}`)}`,
  shop: `${nav}<h1>Boats</h1><form><input aria-label="Search"><button>Search</button></form>${many(60, (n) => `<article><h3><a href="/b${n}">Boat ${n}</a></h3><p>${sentence(n, 20)}</p><span>${n * 13} €</span><button>Add boat ${n} to the basket</button></article>`)}`,
  news: `${nav}${many(12, (n) => `<section><h2>Topic ${n}</h2><ul>${many(10, (m) => `<li><a href="/s${n}-${m}"><img alt="${sentence(m, 6)}">${sentence(n * m, 10)}</a><p>${sentence(n + m, 18)}</p></li>`)}</ul></section>`)}`,
  table: `${nav}<h1>Figures</h1><table><tr>${many(8, (n) => `<th>Column ${n}</th>`)}</tr>${many(200, (n) => `<tr>${many(8, (m) => `<td>${n * m}</td>`)}</tr>`)}</table>`,
  form: `${nav}<h1>Application</h1><form method="post">${many(40, (n) => `<p><label>Field ${n} <input name="f${n}"></label> <small>${sentence(n, 12)}</small></p>`)}<select aria-label="Country">${many(200, (n) => `<option>Country ${n}</option>`)}</select><button>Send application</button></form>`,
  steps: `<h1>Steps</h1>${many(20, (n) => `<p><label>Name ${n} <input></label></p>`)}<button onclick="this.textContent = 'Pressed ' + (1 + Number(this.dataset.n = 1 + Number(this.dataset.n || 0)))" aria-label="Press">Press</button>`,
};

const shop = await site(Object.fromEntries(Object.entries(pages).map(([name, html]) => [`/${name}`, html])));
const browser = await openBrowser({ open: ['127.0.0.1'], origins: [shop.url], on: { submit: 'allow' } });
try {
  console.log('page      raw tokens   told   ratio');
  for (const name of Object.keys(pages).filter((it) => it !== 'steps')) {
    const told = estimateTokens(await browser.say('goto', { url: `${shop.url}/${name}` }));
    const { page } = await browser.taskPage();
    const raw = estimateTokens(await page.ariaSnapshot({ mode: 'ai' }));
    console.log(`${name.padEnd(9)} ${String(raw).padStart(10)} ${String(told).padStart(6)}   ${(told / raw).toFixed(2)}`);
  }
  await browser.say('goto', { url: `${shop.url}/steps` });
  const { page } = await browser.taskPage();
  const times = { bare: [] as number[], tools: [] as number[] };
  const timed = async (of: keyof typeof times, work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    times[of].push(performance.now() - start);
  };
  for (let n = 0; n < 60; n++) {
    const field = `Name ${n % 20}`;
    await timed('bare', async () => {
      await page.getByLabel(field, { exact: true }).fill(`a${n}`);
      await page.ariaSnapshot({ mode: 'ai' });
      await page.getByRole('button', { name: 'Press' }).click();
      await page.ariaSnapshot({ mode: 'ai' });
    });
    await timed('tools', async () => {
      await browser.run('fill', { target: field, value: `b${n}` });
      await browser.run('click', { target: 'Press' });
    });
  }
  const median = (all: number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]!;
  const [bare, tools] = [median(times.bare), median(times.tools)];
  console.log(
    `\nfill and click, each with a look at the page: bare ${bare.toFixed(1)} ms, tools ${tools.toFixed(1)} ms, ${(tools / bare).toFixed(2)}×`,
  );
} finally {
  await browser.close();
  await shop.stop();
}
