/** The scenario of the README: a browser agent fills in a contact form while its operator corrects it from another terminal. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { aboutMe, contactForm, submissions } from '../support/contact-form.ts';
import type { ModelCall } from '../support/model-server.ts';
import type { Site } from '../support/site.ts';
import { isPlanning, isReducing, isWorking, World } from './support/world.ts';

let world: World;
let form: Site;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
  form = await contactForm();
  await writeFile(join(world.workspace, 'me.md'), aboutMe);
});
afterEach(async () => {
  await world.stop();
  await form.stop();
});

/** The next reply that the agent is asked for. */
const step = (): Promise<ModelCall> => world.model.next(isWorking);
const refOf = (label: string, call: ModelCall): string =>
  new RegExp(`(\\w+) \\w+ "${label}"`).exec(call.texts('tool').join('\n'))![1]!;

it('a correction from another terminal changes what a form is sent with, and the form is sent once', async () => {
  await world.roster(`web: { open: ["${form.url}"], origins: ["${form.url}"] }`);
  const instruction = `Go to ${form.url}/contact and fill in the contact form for me`;
  const run = world.start(['run', instruction]);
  const tasks = [{ key: 'form', type: 'browser', instruction, needs: [], after: [] }];
  (await world.model.next(isPlanning)).reply(JSON.stringify({ tasks, final: 'Say what was done.' }));
  (await step()).call('read_file', { path: 'me.md' });
  (await step()).call('goto', { url: `${form.url}/contact` });
  const page = await step();
  const refs = { name: refOf('Your name', page), email: refOf('Email', page), message: refOf('Message', page) };
  page.call('fill', { target: refs.name, value: 'Ada Palmer' });
  (await step()).call('fill', { target: refs.email, value: 'ada@home.example' });
  const filled = await step();
  const root = (await run.says('stderr', /([a-z0-9]+)\.0 supervisor/))[1]!;
  const id = `${root}.1`;
  const steer = await world.cox(['steer', `${root}.0`, 'Actually use my work email, not personal']);
  // It came while a reply was under way: that reply is given up, and the correction is in the next request.
  expect(await filled.closed).toBe(true);
  expect(steer.stdout).toContain(`${root}.0 steer applied at step 1, relayed to ${id}`);
  expect((await run.says('stderr', new RegExp(`${id} steer applied at step \\d+`)))[0]).toBe(`${id} steer applied at step 6`);
  const corrected = await step();
  expect(corrected.texts('user').at(-1)).toBe('Actually use my work email, not personal');
  corrected.call('fill', { target: refs.email, value: 'ada.palmer@work.example' });
  (await step()).call('fill', { target: refs.message, value: 'Hello, please call me back.' });
  (await step()).call('click', { target: 'Send message' });
  const asked = await run.says('stderr', /wants approval[\s\S]*Email: (\S+)/);
  expect(asked[1]).toBe('ada.palmer@work.example');
  expect(form.sent).toEqual([]);
  expect((await world.cox(['status', `${root}.0`])).stdout).toContain('1 running · 1 waits for you');
  const { stdout: question } = await world.cox(['status', id]);
  const picture = /cox artifacts get (\S+) -o page\.png/.exec(question)![1]!;
  expect(picture).toContain(`${id}/`);
  expect((await world.cox(['answer', id, 'q1', 'approve'])).code).toBe(0);
  const sent = await step();
  expect(sent.texts('tool').at(-1)).toContain('| # Thank you');
  sent.reply('The contact form is sent with your work email. The page says: Thank you.');
  (await world.model.next(isReducing)).reply('The contact form is sent with your work email.');
  const { code, stdout } = await run.ended;
  expect(code).toBe(0);
  expect(stdout).toContain('The contact form is sent with your work email.');
  expect(stdout).toContain(`submitted form at ${form.url}/send`);
  expect(submissions(form)).toEqual([
    { name: 'Ada Palmer', email: 'ada.palmer@work.example', message: 'Hello, please call me back.' },
  ]);
}, 120_000);
