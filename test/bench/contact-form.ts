/**
 * Counts how often the real embedded model fills in a contact form while its operator corrects it: the scenario of the README, ten
 * times.
 * `npm run test:real`, or `node test/bench/contact-form.ts [standard|small|<gguf>] [times]`. The correction comes when the first
 * field is being filled in. A run is right if the site has got one form, with the name and the work address. A question is answered
 * by nobody, and counts as not right. Prints each run and the count; it fails if fewer than seven of ten are right, or if anything
 * else was sent.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrewSession } from '../../actors/node/join.ts';
import { shippedRoster } from '../../roster/find-roster.ts';
import { parseRoster } from '../../roster/load.ts';
import { aboutMe, contactForm, submissions } from '../support/contact-form.ts';
import { testCrew } from '../support/crew.ts';
import { never } from '../support/watching.ts';

const [model = 'standard', times = '10'] = process.argv.slice(2);
const crew = await testCrew();
try {
  const joined = await crew.join();
  let right = 0;
  let wrong = 0;
  for (let run = 1; run <= Number(times); run++) {
    const { verdict, said } = await tried(run, joined);
    console.log(`\n${run}. ${verdict.toUpperCase()}  ${said}`);
    if (verdict === 'right') right++;
    if (verdict === 'wrong') wrong++;
  }
  console.log(`\n${model}, the contact form: ${right} of ${times} right, ${wrong} sent something else`);
  process.exitCode = right < Number(times) * 0.7 || wrong > 0 ? 1 : 0;
} finally {
  await crew.stop();
}

type Verdict = 'right' | 'wrong' | 'not sent';

async function tried(run: number, joined: CrewSession): Promise<{ verdict: Verdict; said: string }> {
  const { crew: client } = joined;
  const form = await contactForm();
  const workspace = join(crew.folder, `run-${run}`);
  await mkdir(workspace);
  await writeFile(join(workspace, 'me.md'), aboutMe);
  const yaml = (await readFile(shippedRoster.file, 'utf8')).replace('model: standard', `model: ${model}`);
  const web = `\nweb: { open: ["${form.url}"], origins: ["${form.url}"], on: { submit: allow } }\n`;
  const roster = parseRoster(`${yaml}${web}`, shippedRoster.file);
  const node = await crew.node(joined, { roster: { current: () => roster }, workspace });
  const start = performance.now();
  const over = new AbortController();
  try {
    const id = await client.dispatch({
      ...{ type: 'supervisor', workspace },
      instruction: `Go to ${form.url}/contact and fill in the contact form for me`,
    });
    const talk = correct(id, client, over.signal);
    const result = await client.result(id, never);
    over.abort();
    const asked = await talk;
    const sent = submissions(form);
    const isRight = sent.length === 1 && sent[0]!.email === 'ada.palmer@work.example' && sent[0]!.name === 'Ada Palmer';
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const said = `${seconds} s  ${result.outcome} ${result.failure?.message ?? ''} sent: ${JSON.stringify(sent)}${asked ? ` asked: ${asked}` : ''}
   ${(result.output ?? '').replaceAll('\n', '\n   ')}`;
    return { verdict: isRight ? 'right' : sent.length > 0 ? 'wrong' : 'not sent', said };
  } finally {
    over.abort();
    await node.stop();
    await form.stop();
  }
}

/** Corrects the goal when the page is open. Nobody answers questions: the goal is cancelled. @returns the question, or null. */
async function correct(id: string, client: CrewSession['crew'], signal: AbortSignal): Promise<string | null> {
  let isCorrected = false;
  for await (const event of client.watch(id, signal)) {
    if (event.kind !== 'status' || event.status.outcome) continue;
    const { question, doing } = event.status;
    if (question) {
      await client.steer(id, { type: 'cancel', reason: 'nobody answers' });
      return `${question.text} (${event.status.step})`;
    }
    if (isCorrected || !/^fill /.test(doing ?? '')) continue;
    isCorrected = true;
    await client.steer(id, { type: 'steer', text: 'Actually use my work email, not personal', urgency: 'now' });
  }
  return null;
}
