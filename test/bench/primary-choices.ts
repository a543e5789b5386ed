/**
 * How often the primary agent does the right thing with a real embedded model: `node test/bench/primary-choices.ts
 * [small|standard|<gguf>]`. The prompt was tuned on the first 14 utterances; the last 10 were written afterwards and tried once.
 * Prints each choice, the score and the seconds; fails nothing.
 */
import { pino } from 'pino';
import { openPrimary } from '../../actors/primary/primary.ts';
import { parseRoster } from '../../roster/load.ts';
import { testCrew } from '../support/crew.ts';
import type { ModelCall } from '../support/model-server.ts';

const model = process.argv[2] ?? 'standard';
const never = new AbortController().signal;
const crew = await testCrew();
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
  // Sub-agents wait for a scripted model that never replies, so there are tasks to steer and only the primary uses the embedded
  // model.
  const node = await crew.node(joined, { roster: { current: () => roster }, types: ['reasoning'] });
  const acted: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => void acted.push(...toolIn(line)) });
  const primary = openPrimary({ ...joined, backends: node.backends, roster: () => roster, workspace: crew.folder, log });
  const events = primary.events(never)[Symbol.asyncIterator]();
  let right = 0;
  let asked = 0;

  /** `wanted`: the first tool, and what its arguments must contain; null where the primary should just answer. */
  const utter = async (text: string, wanted: string | null, contains = '') => {
    acted.length = 0;
    const start = performance.now();
    let reply = '';
    primary.say(text);
    for (;;) {
      const { value } = await events.next();
      if (!value || value.type === 'idle') break;
      if (value.type === 'reply') reply += value.text;
      if (value.type === 'failed') reply += `FAILED ${value.error.message}`;
    }
    const isRight =
      wanted === null
        ? acted.length === 0 && reply !== ''
        : (acted[0] ?? '').startsWith(`${wanted} `) && acted[0]!.includes(contains);
    asked++;
    if (isRight) right++;
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `${isRight ? 'right' : 'WRONG'} ${seconds.padStart(5)} s  ${text}\n        ${acted.join(' · ') || '(answers)'} → ${reply.replaceAll('\n', ' ⏎ ')}`,
    );
  };

  await utter('good morning', null);
  await utter('read README.md and tell me what it is', 'dispatch_task', 'README.md');
  await utter('What is the capital of France?', null);
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Fill in the registration form' });
  await crew.model.next();
  await utter('how is it going?', 'check_task_status');
  await utter(`tell ${id} to hurry`, 'steer_task', id);
  await utter(`${id} must use my work email, not the personal one`, 'steer_task', id);
  await utter('compare a.txt with b.txt and write the differences into c.txt', 'dispatch_task', 'c.txt');
  await utter('thanks, well done', null);
  await utter('please remember that my boss is called Irene', 'remember', 'Irene');
  await utter('which models can you use?', 'list_backends');
  await utter(`cancel ${id}`, 'cancel_task', id);
  await utter(`what did ${id} find out?`, 'get_task_result', id);
  const asking = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Book a table in a restaurant' });
  const isBooking = (call: ModelCall) => call.texts('user').join().includes('Book a table');
  (await crew.model.next(isBooking)).call('ask_operator', { question: 'For how many people?' });
  for await (const event of joined.crew.watch(asking, never)) if (event.kind === 'status' && event.status.question) break;
  await utter('for four people', 'answer_question', asking);
  await utter('what is my boss called?', 'recall');
  console.log(`${right} of ${asked} right; now the utterances that the prompt was not tuned on`);
  await utter('hey, are you there?', null);
  await utter('who wrote the LICENSE file and when?', 'dispatch_task', 'LICENSE');
  const other = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Draft an invitation to the summer party' });
  await crew.model.next((call) => call.texts('user').join().includes('invitation'));
  await utter('what is 12 times 12?', null);
  await utter('any news?', 'check_task_status');
  await utter(`${other} please write it in German`, 'steer_task', other);
  await utter('the invitation should mention that dogs are welcome', 'steer_task', other);
  await utter('make a list of all functions in src that have no tests', 'dispatch_task', 'functions');
  await utter(`stop ${other}, it is not needed any more`, 'cancel_task', other);
  await utter('note down: the deploy happens on Fridays', 'remember', 'Friday');
  await utter('when do we deploy?', 'recall');
  console.log(`${right} of ${asked} right with ${model}`);
  await primary.stop();
} finally {
  await crew.stop();
}

function toolIn(line: string): string[] {
  const { msg, tool, args } = JSON.parse(line) as { msg: string; tool: string; args: unknown };
  return msg === 'the primary acts' ? [`${tool} ${JSON.stringify(args)}`] : [];
}
