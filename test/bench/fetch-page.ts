/**
 * `npm run bench:web`: what `fetch_page` costs beside the bare work, in one run on one server on loopback: fetch, parse,
 * Readability, Markdown. The tool adds the look-up and its check, the redirects' rules, robots.txt, the detection of type and
 * charset, the process in which pages are read, and the marks before each line.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import TurndownService from 'turndown';
import { webPolicy } from '../../actors/tools/web/web-policy.ts';
import { webTools } from '../../actors/tools/web/web-tools.ts';
import { WebRules } from '../../roster/web-schema.ts';

const rounds = 60;
const paragraph = (i: number) =>
  `<p>Paragraph ${i} of the article is about a matter, with commas, <a href="/page-${i}">a link</a> and <b>some weight</b>. ${'It goes on for a while, as articles do. '.repeat(6)}</p>`;
const menu = Array.from({ length: 150 }, (_, i) => `<li><a href="/menu/${i}">Menu item ${i}</a></li>`).join('');
const pageOf = (paragraphs: number) =>
  `<!doctype html><html><head><title>An article</title><style>.a{color:red}</style></head><body><nav><ul>${menu}</ul></nav><article><h1>An article</h1>${Array.from({ length: paragraphs }, (_, i) => paragraph(i)).join('')}</article><footer>${menu}</footer></body></html>`;

const pages: Record<string, string> = { small: pageOf(20), usual: pageOf(150), large: pageOf(1_500) };
const server = createServer((request, response) => {
  const page = pages[request.url!.slice(1)];
  response.writeHead(page ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' }).end(page);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const policy = webPolicy(WebRules.parse({ open: ['127.0.0.1'], on: { leave: 'allow' } }));
const web = webTools({ policy: () => policy });
const [tool] = web.tools;
const context = { task: 't.0', workspace: '/', signal: new AbortController().signal, idempotencyKey: 'k' };

async function bare(url: string): Promise<string> {
  const { document } = parseHTML(await (await fetch(url)).text());
  const article = new Readability(document as never).parse();
  return new TurndownService().turndown(article?.content ?? '');
}
const ofTool = async (url: string): Promise<string> => (await tool!.run({ url }, context)).text;

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
async function timed(run: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await run();
  return performance.now() - from;
}

const first = await timed(() => ofTool(`http://127.0.0.1:${port}/usual`));
console.log(`the first page, with the start of the process that reads: ${first.toFixed(0)} ms`);
console.log('page    | kB   | bare, ms | fetch_page, ms | ratio');
for (const [name, page] of Object.entries(pages)) {
  const url = `http://127.0.0.1:${port}/${name}`;
  const times: { bare: number[]; tool: number[] } = { bare: [], tool: [] };
  // In turns, so that both see the same machine. The first rounds only warm up.
  for (let i = 0; i < rounds; i++) {
    const [a, b] = [await timed(() => bare(url)), await timed(() => ofTool(url))];
    if (i < rounds / 3) continue;
    times.bare.push(a);
    times.tool.push(b);
  }
  const [a, b] = [median(times.bare), median(times.tool)];
  const kB = (page.length / 1_000).toFixed(0);
  console.log(
    `${name.padEnd(7)} | ${kB.padStart(4)} | ${a.toFixed(1).padStart(8)} | ${b.toFixed(1).padStart(14)} | ${(b / a).toFixed(2)}`,
  );
}
await web.close();
server.close();
server.closeAllConnections();
