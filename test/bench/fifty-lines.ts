/**
 * What the primary agent makes of the fifty lines of fifty-lines.json with a real embedded model: `npm run test:real`, or
 * `node test/bench/fifty-lines.ts [standard|small|<gguf>] [line number …]`. Each line is said to a new primary while two tasks
 * run, an invitation and a translation. A line is right, or became a question to the operator, or is wrong. The exit code is 1
 * below 45 right lines, or if an act hit a task that was not meant.
 */
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { z } from 'zod';
import { openPrimary } from '../../actors/primary/primary.ts';
import { stateStream, stateSubject } from '../../bus/state/state-store.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { parseRoster } from '../../roster/load.ts';
import { testCrew } from '../support/crew.ts';

const Lines = z.array(
  z
    .object({
      line: z.string(),
      /** The first tool that must be called; null: no tool. */
      act: z.string().nullable(),
      /** The task that it must be for. */
      on: z.enum(['invitation', 'translation', 'all']).optional(),
      /** What the arguments must contain. */
      has: z.string().optional(),
      /** The second tool that must be called. */
      next: z.string().optional(),
    })
    .strict(),
);
const aim = 45;
const lines = Lines.parse(JSON.parse(readFileSync(new URL('./fifty-lines.json', import.meta.url), 'utf8')));
const [model = 'standard', ...numbers] = process.argv.slice(2);
const chosen = numbers.length > 0 ? numbers.map((number) => lines[Number(number) - 1]!) : lines;
const never = new AbortController().signal;
const instructions = {
  invitation: 'Draft an invitation to the summer party',
  translation: 'Translate the user guide into French',
};
const writing: ReadonlySet<string> = new Set([
  'steer_task',
  'cancel_task',
  'pause_task',
  'resume_task',
  'swap_model',
  'answer_question',
]);

interface Seen {
  /** Calls that the primary made, as JSON. */
  readonly acted: readonly { tool: string; args: Record<string, unknown> }[];
  readonly reply: string;
  /** Tasks that were really steered, with what they got. */
  readonly steered: readonly { id: string; type: string }[];
}

const crew = await testCrew();
const counts = { right: 0, question: 0, wrong: 0 };
let hitWrong = 0;
try {
  const joined = await crew.join();
  const roster = parseRoster(
    `backends:
  local: { kind: embedded, model: ${model}, tier: local, can_orchestrate: true, good_at: [plan] }
  scripted: { base_url: "${crew.model.url}", model: scripted, tier: local, good_at: [reasoning] }
agents:
  reasoning: { prompt: You think., needs: [reasoning] }`,
    '/roster.yaml',
  );
  // The sub-agents wait for a scripted model that never replies, so there are tasks, and only the primary uses the real model.
  const node = await crew.node(joined, { roster: { current: () => roster }, types: ['reasoning'] });
  const ids = {} as Record<'invitation' | 'translation', TaskId>;
  /** Two running tasks and no others, as before each line. Nobody works on the goals that a line has dispatched. */
  const renew = async () => {
    const open = (await joined.crew.tasks()).filter(({ outcome }) => outcome === null);
    const strays = open.filter(({ id }) => !Object.values(ids).includes(id));
    for (const { id } of strays)
      await joined.bus.jsm.streams.purge(stateStream(joined.bus), { filter: stateSubject(joined.bus, id) });
    const isWhole = async (id: TaskId | undefined) => {
      const status = id && (await joined.crew.status(id));
      return status && !status.outcome && !status.paused;
    };
    if ((await isWhole(ids.invitation)) && (await isWhole(ids.translation))) return;
    // Both anew, so that the invitation stays the first.
    for (const name of ['invitation', 'translation'] as const) {
      if (ids[name] && !(await joined.crew.status(ids[name]))?.outcome) {
        await joined.crew.steer(ids[name], { type: 'cancel' });
        await joined.crew.result(ids[name], never);
      }
    }
    for (const name of ['invitation', 'translation'] as const)
      ids[name] = await joined.crew.dispatch({ type: 'reasoning', instruction: instructions[name] });
    for (const id of Object.values(ids)) while ((await joined.crew.status(id))?.state !== 'thinking') await news();
  };
  const statuses = joined.crew.watch(null, never)[Symbol.asyncIterator]();
  let coming = Promise.withResolvers<void>();
  void (async () => {
    for (let next = await statuses.next(); !next.done; next = await statuses.next()) {
      coming.resolve();
      coming = Promise.withResolvers();
    }
  })();
  const news = () => Promise.race([coming.promise, new Promise<void>((resolve) => setTimeout(resolve, 200))]);

  const say = async (text: string): Promise<Seen> => {
    const acted: Seen['acted'][number][] = [];
    const steered: Seen['steered'][number][] = [];
    const log = pino(
      { level: 'debug' },
      {
        write(entry) {
          const { msg, tool, args } = JSON.parse(entry);
          if (msg === 'the primary acts') acted.push({ tool, args });
        },
      },
    );
    const primary = openPrimary({ ...joined, backends: node.backends, roster: () => roster, workspace: crew.folder, log });
    const subscription = joined.bus.nc.subscribe(joined.bus.subjects.every('steering'), {
      callback: (_, message) => {
        const id = joined.bus.subjects.parse(message.subject)!.tokens;
        if (message.json<{ from?: string }>().from === 'primary')
          steered.push({ id, type: message.json<{ type: string }>().type });
      },
    });
    const events = primary.events(never)[Symbol.asyncIterator]();
    let reply = '';
    primary.say(text);
    for (;;) {
      const { value } = await events.next();
      if (!value || value.type === 'idle') break;
      if (value.type === 'reply' || value.type === 'did') reply += `${value.type === 'did' ? '=> ' : ''}${value.text}\n`;
      if (value.type === 'failed') reply += `FAILED ${value.error.message}\n`;
    }
    await primary.stop();
    subscription.unsubscribe();
    return { acted, reply, steered };
  };

  for (const { line, act, on, has, next } of chosen) {
    await renew();
    const start = performance.now();
    const { acted, reply, steered } = await say(line);
    const nameOf = (id: string) => (id === ids.invitation ? 'invitation' : id === ids.translation ? 'translation' : id);
    const asks = /Say (?:y|its number)/.test(reply);
    const wanted = on && on !== 'all' ? ids[on] : null;
    const isMeant =
      act === null
        ? acted.length === 0 && reply !== ''
        : acted[0]?.tool === act && (!has || JSON.stringify(acted[0].args).includes(has)) && (!next || acted[1]?.tool === next);
    const reads = act !== null && !writing.has(act);
    const hit =
      act === null || on === undefined || (reads ? reply.includes(wanted!) : on === 'all' ? asks : steered[0]?.id === wanted);
    const strayed = !next && steered.some(({ id }) => id !== wanted);
    const verdict = isMeant && hit ? 'right' : asks && steered.length === 0 ? 'question' : 'wrong';
    counts[verdict]++;
    if (verdict === 'wrong' && strayed) hitWrong++;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${verdict.padEnd(8)} ${seconds.padStart(5)} s  ${line}`);
    if (verdict !== 'right')
      console.log(
        `          ${acted.map(({ tool, args }) => `${tool} ${JSON.stringify(args)}`).join(' · ') || '(no tool)'} → ${steered.map(({ id, type }) => `${type} ${nameOf(id)}`).join(', ') || '-'} | ${reply.trim().replaceAll('\n', ' ⏎ ').slice(0, 200)}`,
      );
  }
} finally {
  await crew.stop();
}
console.log(
  `${counts.right} right, ${counts.question} asked, ${counts.wrong} wrong of ${chosen.length}; ${hitWrong} acts on a wrong task`,
);
process.exitCode = (numbers.length > 0 || counts.right >= aim) && hitWrong === 0 ? 0 : 1;
