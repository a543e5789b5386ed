/**
 * `cox.api.<verb>`: requests for any client, as a NATS micro service with the name of the namespace. A request is a JSON object.
 * The reply is a JSON object, or an error reply with a code and a description in its headers and `{ code, message, hint }` as
 * payload.
 */
import { randomUUID } from 'node:crypto';
import { type ServiceMsg, Svcm } from '@nats-io/services';
import { z } from 'zod';
import { beginningOf, fitted } from '../platform/cut.ts';
import { CoxError, messageOf } from '../platform/errors.ts';
import { withTimeLimit } from '../platform/time-limit.ts';
import { rowOf } from './artifacts/artifact-list.ts';
import { Artifacts } from './artifacts/artifacts.ts';
import type { ArtifactPart } from './artifacts/remote-artifacts.ts';
import type { Bus } from './bus.ts';
import { roomOf } from './capacity/room.ts';
import { CostQuery } from './costs/costs.ts';
import type { Crew } from './crew.ts';
import { MachineQuery, type MachineReport } from './inspect/machine-report.ts';
import type { Rebuild } from './journal/journal.ts';
import { JournalQuery } from './journal/journal-messages.ts';
import {
  CallOutcome,
  type NodeReport,
  PlanTask,
  type Price,
  Seal,
  SteeringMessage,
  type SteeringType,
  steeringTypes,
  TaskSpec,
} from './messages.ts';
import { type Page, PageQuery } from './page.ts';
import { describe } from './parse-message.ts';
import { maxPayload, publish } from './publish.ts';
import { DeadLetters, LetterQuery } from './queue/dead-letters.ts';
import type { RosterReport } from './roster-report.ts';
import { QuestionQuery } from './state/open-questions.ts';
import { TaskQuery } from './state/task-list.ts';
import { TalkQuery, talkPage } from './talk/talk-page.ts';
import { TaskId } from './task-id.ts';
import { orderVerbs, readVerbs, relayVerbs } from './team/roles.ts';

/** Version of the service and of its messages. docs/protocol shows it. */
export const serviceVersion = '1.0.0';
/** The longest time, in ms, that a request may wait for receipts or a result before it is answered without them. */
const maxWaitMs = 30_000;
const maxHeaderChars = 1_000;
const maxRefusalChars = 4_000;

const waiting = { waitMs: z.number().int().min(0).max(maxWaitMs).default(0) };
const steering = (type: SteeringType) =>
  z
    .object({ task: TaskId, ...waiting })
    .loose()
    .transform(({ task, waitMs, ...message }) => ({ task, waitMs, message: { ...message, type } }));
interface SteeringRequest {
  readonly task: TaskId;
  readonly waitMs: number;
  readonly message: { readonly type: SteeringType };
}
/**
 * `task` names the goal, as in every request. The new sub-task, which the message calls `task`, is therefore called `subTask`.
 */
const adding = z
  .object({ task: TaskId, subTask: PlanTask, ...waiting })
  .loose()
  .transform(({ task, waitMs, subTask, ...message }) => ({
    task,
    waitMs,
    message: { ...message, type: 'add' as const, task: subTask },
  }));

/** Makes a record with one entry for each type of steering message. Each type is also a verb of the service. */
export const forEachSteering = <T>(make: (type: SteeringType) => T): Record<SteeringType, T> =>
  Object.fromEntries(steeringTypes.map((type) => [type, make(type)])) as Record<SteeringType, T>;

const LetterId = z.string().min(1).max(64).describe('Id of a dead letter: the id of its task, or `ticket-<sequence>`.');

/** The schema of the request of each verb. */
export const requests = {
  dispatch: TaskSpec,
  status: z.object({ task: TaskId }).strict(),
  ...forEachSteering(steering),
  add: adding,
  result: z.object({ task: TaskId, ...waiting }).strict(),
  tree: PageQuery.extend({ task: TaskId }),
  tasks: TaskQuery,
  questions: QuestionQuery,
  artifacts: PageQuery.extend({ task: TaskId.describe('A task; those below it are listed too.') }),
  artifact: z
    .object({
      ref: z.string().min(1).max(256).describe('Its name, as `artifacts` lists it.'),
      part: z.number().int().min(0).max(4_096).default(0).describe('Which of its parts of 256 KiB, from 0.'),
    })
    .strict(),
  journal: JournalQuery,
  menu: z.object({}).strict(),
  roster: z.object({}).strict(),
  machine: MachineQuery,
  nodes: z.object({}).strict(),
  costs: CostQuery,
  dead: LetterQuery,
  talk: TalkQuery,
  room: z.object({}).strict(),
  deadRetry: z.object({ id: LetterId, waitMs: waiting.waitMs.default(5_000) }).strict(),
  deadDrop: z.object({ id: LetterId }).strict(),
  order: z.object({ id: TaskId.describe('Chosen by the operator.'), spec: TaskSpec, seal: Seal }).strict(),
  outcome: z.object({ task: TaskId, outcome: CallOutcome }).strict(),
} as const;
export type Verb = keyof typeof requests;

export interface ServiceOptions {
  readonly crew: Crew;
  /** Name of this node, in the metadata of its instance of the service. */
  readonly node: string;
  /** The backends of this node. */
  readonly menu: () => readonly unknown[];
  /** The roster of this node, without keys. */
  readonly roster: () => Promise<RosterReport>;
  /** A chart, and where a task is in it. @throws CoxError `unknown-machine`, `unknown-task`. */
  readonly machine: (query: MachineQuery) => Promise<MachineReport>;
  readonly report: () => NodeReport;
  /** Builds the requests of steps again, for `journal`. Default: prompts are shown without what the kind adds. */
  readonly rebuild?: Rebuild;
  /** The price that costs are compared with. Default: there is none. */
  readonly reference?: () => Price | null;
}

/**
 * The verbs that a node answers. In a crew with roles a steer is signed and published on the steering subject, and a dispatch is
 * the sealed `order`; only nodes that host goals take orders.
 */
function verbsOf({ team }: Bus): readonly Verb[] {
  if (!team) return (Object.keys(requests) as Verb[]).filter((verb) => verb !== 'order' && verb !== 'outcome');
  return team.is('supervisor') ? [...readVerbs, ...orderVerbs, ...relayVerbs] : readVerbs;
}

/** Verbs that every node answers for itself. Any other request is answered by one node, chosen by the queue group. */
const askedOfAll: readonly Verb[] = ['nodes'];

export async function startService(
  bus: Bus,
  { crew, node, menu, reference = () => null, roster, machine, report, rebuild }: ServiceOptions,
): Promise<{ stop(): Promise<void> }> {
  const service = await new Svcm(bus.nc).add({
    name: bus.subjects.namespace,
    version: serviceVersion,
    description: 'Coxswain: dispatch, watch and steer tasks',
    metadata: { node },
  });
  const ended = new AbortController();
  const letters = new DeadLetters(crew);
  const artifacts = new Artifacts(bus);
  const answers: { [V in Verb]: (request: z.infer<(typeof requests)[V]>) => Promise<unknown> } = {
    dispatch: async (spec) => ({ id: await crew.dispatch(spec) }),
    status: async ({ task }) => (await crew.status(task)) ?? unknown(task),
    ...forEachSteering(() => (request: SteeringRequest) => steer(crew, request, ended.signal)),
    result: async ({ task, waitMs }) => ({
      result:
        waitMs === 0
          ? await crew.peekResult(task)
          : await withinOrNull(waitMs, ended.signal, (signal) => crew.awaitResult(task, signal)),
    }),
    tree: async ({ task, ...query }) => replyOf('nodes', await crew.treePage(task, query, roomForRows(bus))),
    tasks: async (query) => replyOf('tasks', await crew.taskPage(query, roomForRows(bus))),
    questions: async (query) => replyOf('questions', await crew.questionPage(query, roomForRows(bus))),
    artifacts: async ({ task, ...query }) => replyOf('artifacts', await crew.artifactPage(task, query, roomForRows(bus))),
    artifact: ({ ref, part }) => artifactPart(artifacts, ref, part),
    journal: (query) => crew.journal(query, { rebuild, maxBytes: roomForRows(bus) - aroundRows }),
    menu: async () => ({ backends: menu() }),
    roster,
    machine,
    nodes: async () => report(),
    costs: (query) => crew.costs({ ...query, reference: query.reference ?? reference() ?? undefined }),
    dead: async (query) => replyOf('letters', await letters.page(query, roomForRows(bus))),
    talk: (query) => talkPage(bus, query, roomForRows(bus)),
    room: () => roomOf(bus, report().types),
    deadRetry: ({ id, waitMs }) => withTimeLimit(waitMs, (signal) => letters.retry(id, signal), ended.signal),
    deadDrop: async ({ id }) => {
      await letters.drop(id);
      return { id };
    },
    order: async (order) => ({ id: await crew.take(order) }),
    outcome: async ({ task, outcome }) => {
      await publish(bus, bus.subjects.of(task, 'steering'), JSON.stringify(outcome), { msgID: `${task}:${outcome.id}` });
      return { id: outcome.id };
    },
  };
  const group = service.addGroup(bus.subjects.api());
  for (const verb of verbsOf(bus))
    group.addEndpoint(verb, {
      // A queue group with a random name, so that every node gets the request. Without one, the endpoint would join the service's
      // group.
      ...(askedOfAll.includes(verb) && { queue: randomUUID() }),
      handler: (err, message) => {
        if (err || !isInbox(message.reply)) return;
        void reply(message, verb, answers[verb] as (request: unknown) => Promise<unknown>, bus);
      },
    });
  // After the flush the server has all subscriptions, so a node that has started answers requests.
  await bus.nc.flush();
  return {
    stop: async () => {
      ended.abort();
      await service.stop();
    },
  };
}

/**
 * A client that may only read names the subject of the reply, and the server does not check it. A node must not be made to write
 * its reply to a subject on which only nodes may publish.
 */
const isInbox = (subject: string | undefined): boolean => /^_(INBOX|R_)\./.test(subject ?? '');

/** Bytes of a reply that are not its rows: their name, `next` and `more`. */
const aroundRows = 512;
const roomForRows = (bus: Bus): number => maxPayload(bus) - aroundRows;
const replyOf = (name: string, { rows, next, more }: Page<unknown>): object => ({ [name]: rows, next, more });

async function reply(message: ServiceMsg, verb: Verb, answer: (request: unknown) => Promise<unknown>, bus: Bus): Promise<void> {
  const { log } = bus;
  try {
    const answered = JSON.stringify(await answer(read(message.data, verb)));
    const [bytes, most] = [Buffer.byteLength(answered), maxPayload(bus)];
    if (bytes > most)
      throw new CoxError('reply-too-big', `The reply of ${verb} has ${bytes} bytes, and the server takes ${most}`, {
        hint: 'Ask for less, or raise max_payload of the server.',
      });
    message.respond(answered);
  } catch (cause) {
    const {
      code,
      message: text,
      hint,
    } = cause instanceof CoxError ? cause : { code: 'internal', message: messageOf(cause), hint: 'See the log of the node.' };
    log.warn({ verb, code, err: cause }, 'refused a request');
    const refusal = JSON.stringify({ code, message: cutForReply(text), hint });
    try {
      message.respondError(code === 'internal' ? 500 : 400, inOneLine(text), refusal);
    } catch (err) {
      // The connection may have been lost meanwhile. A request without an answer is asked again; an error here would end the
      // node.
      log.warn({ verb, code, err }, 'could not tell that a request was refused');
    }
  }
}

/** Errors quote input that is cut already; this bounds every other text. */
const cutForReply = (text: string): string => fitted(text, maxRefusalChars);

/**
 * Makes a text fit for a header, which must not contain line breaks. A validation error may quote the request, line breaks
 * included.
 */
const inOneLine = (text: string): string =>
  beginningOf(text, maxHeaderChars)
    .toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ');

function read(data: Uint8Array, verb: Verb): unknown {
  const hint = `See docs/protocol for the request of ${verb}.`;
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data);
    value = text.trim() === '' ? {} : JSON.parse(text);
  } catch (cause) {
    throw new CoxError('bad-request', `Not JSON: ${messageOf(cause)}`, { hint, cause });
  }
  const parsed = requests[verb].safeParse(value);
  if (!parsed.success) throw new CoxError('bad-request', describe(parsed.error), { hint });
  return parsed.data;
}

/**
 * Resolves when the log has stored the steer and its final receipt has come, or after `waitMs`, with the receipts that came. What
 * goes wrong once the steer is stored is part of the reply: a client that got an error would send the steer again.
 */
async function steer(
  crew: Crew,
  { task, message, waitMs }: { task: TaskId; message: unknown; waitMs: number },
  ended: AbortSignal,
): Promise<unknown> {
  const parsed = SteeringMessage.safeParse(message);
  if (!parsed.success)
    throw new CoxError('bad-request', describe(parsed.error), { hint: 'See docs/protocol for the steering messages.' });
  const sent = await crew.steer(task, parsed.data);
  const receipts: unknown[] = [];
  if (waitMs === 0) return { ...sent, receipts };
  try {
    await withinOrNull(waitMs, ended, async (signal) => {
      for await (const receipt of crew.receipts(task, sent, signal)) receipts.push(receipt);
    });
    return { ...sent, receipts };
  } catch (cause) {
    const { code } = cause instanceof CoxError ? cause : { code: 'internal' };
    crew.bus.log.warn({ task, ...sent, err: cause }, 'a wait for receipts failed; the steer is stored');
    return { ...sent, receipts, waitError: { code, message: cutForReply(messageOf(cause)) } };
  }
}

/** Resolves with null if `wait` takes longer than `ms`, or if the service stops. */
const withinOrNull = <T>(ms: number, ended: AbortSignal, wait: (signal: AbortSignal) => Promise<T>): Promise<T | null> =>
  withTimeLimit<T | null>(
    ms,
    (signal) =>
      wait(signal).catch((cause) => {
        if (signal.aborted) return null;
        throw cause;
      }),
    ended,
  );

/**
 * One part of an artifact. What a call replaced is for the machines that host tasks: it is a file of theirs.
 * @throws CoxError `artifact-refused`, `artifact-gone`, `bad-artifact`.
 */
async function artifactPart(artifacts: Artifacts, ref: string, i: number): Promise<ArtifactPart> {
  const { place, head, at } = await artifacts.head(ref);
  const artifact = rowOf({ place, head, at });
  if (artifact.kind === 'replaced')
    throw new CoxError('artifact-refused', `${ref} is a file as it was before a call, which no node hands out`, {
      hint: 'Read it where a node may run, with `cox artifact`.',
    });
  return { artifact, parts: head.parts, base64: Buffer.from(await artifacts.part(ref, i)).toString('base64') };
}

const unknown = (task: TaskId): never => {
  throw new CoxError('unknown-task', `There is no task ${task}`, { hint: 'The verb `tasks` lists the tasks of this crew.' });
};
