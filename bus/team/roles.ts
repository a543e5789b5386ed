/**
 * The roles of a crew with several people and machines, and the subjects that each may use. This is the one table; the server
 * configuration and the JWTs are made of it (docs/adr/0030).
 *
 * The streams are in the account `CREW`, and only members that host tasks log in there. All others log in to the account `DESK`,
 * which has no streams and reaches `CREW` by named subjects alone. A subject that a client of `DESK` names for a reply is one of
 * its own account, so no reply of JetStream and no acknowledgement ends up in a stream (nats-server issue 8274).
 */
import { z } from 'zod';
import type { Subjects } from '../subjects.ts';

/**
 * - `operator` dispatches, steers, answers and approves.
 * - `supervisor` hosts goals: it dispatches sub-tasks, relays the words of operators to them, makes and purges streams.
 * - `worker` takes tickets of single tasks and sub-tasks, and writes their records, statuses and results.
 * - `observer` reads. - `console` reads too, over a WebSocket alone.
 */
export const Role = z.enum(['operator', 'supervisor', 'worker', 'observer', 'console']);
export type Role = z.infer<typeof Role>;

export type Account = 'CREW' | 'DESK';

const hosting: readonly Role[] = ['supervisor', 'worker'];

export const isHosting = (roles: readonly Role[]): boolean => roles.some((role) => hosting.includes(role));
export const accountOf = (roles: readonly Role[]): Account => (isHosting(roles) ? 'CREW' : 'DESK');

/** A console logs in over a WebSocket alone. */
export const isBrowserOnly = (roles: readonly Role[]): boolean => roles.every((role) => role === 'console');

/** Verbs of the service that only read. Every node answers them. */
export const readVerbs = [
  'status',
  'result',
  'tree',
  'tasks',
  'questions',
  'artifacts',
  'artifact',
  'journal',
  'menu',
  'roster',
  'machine',
  'nodes',
  'dead',
  'talk',
  'room',
  'costs',
] as const;
/** Verbs of the service that change something, for operators. A node that hosts goals answers them. */
export const orderVerbs = ['order', 'deadDrop'] as const;
/** For workers, which may not publish on a steering subject: a node that hosts goals posts the outcome of a lost call there. */
export const relayVerbs = ['outcome'] as const;

export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** A name in a subject. Names of members have no other characters. */
export const inboxOf = (member: string): string => `_INBOX.${member}`;

/** The subjects that a member with these roles may publish and subscribe to, in its account. */
export function permissionsOf(subjects: Subjects, member: string, roles: readonly Role[]): Permissions {
  const all = roles.map((role) => permissionsByRole[role](subjects));
  const union = (lists: readonly (readonly string[])[]) => [...new Set(lists.flat())];
  return {
    publish: union(all.map(({ publish }) => publish)),
    subscribe: union([[`${inboxOf(member)}.>`], ...all.map(({ subscribe }) => subscribe)]),
  };
}

/** The key of the crew logs in only to publish the list of its members, before any node has started too. */
export const keeperPermissions = (subjects: Subjects): Permissions => ({
  publish: [subjects.members(), `$JS.API.STREAM.CREATE.${subjects.crewStream}`],
  subscribe: [`${inboxOf(keeperName)}.>`],
});
export const keeperName = 'crew';

const permissionsByRole: { readonly [R in Role]: (subjects: Subjects) => Permissions } = {
  operator: (subjects) => ({
    publish: [
      ...requests(subjects, [...readVerbs, ...orderVerbs]),
      subjects.full(),
      subjects.every('steering'),
      subjects.everyNudge(),
      subjects.everyTalk(),
      subjects.inspectionWanted(),
    ],
    subscribe: watched(subjects),
  }),
  observer: (subjects) => ({
    publish: [...requests(subjects, readVerbs), subjects.full(), subjects.inspectionWanted()],
    subscribe: watched(subjects),
  }),
  console: (subjects) => ({
    publish: [...requests(subjects, readVerbs), subjects.inspectionWanted()],
    subscribe: [...watched(subjects), subjects.everyTalk()],
  }),
  worker: (subjects) => ({
    publish: [
      ...written(subjects),
      ...streamsOf(subjects).flatMap(reading),
      `$JS.API.STREAM.PURGE.KV_${subjects.memoryBucket}`,
      ...requests(subjects, [...readVerbs, ...relayVerbs]),
    ],
    subscribe: [...heard(subjects), ...requests(subjects, readVerbs)],
  }),
  supervisor: (subjects) => ({
    publish: [
      ...written(subjects),
      subjects.ticket('*', 'pending'),
      subjects.every('steering'),
      subjects.members(),
      subjects.costs('*'),
      ...streamsOf(subjects).flatMap((stream) => [...reading(stream), ...keeping(stream)]),
      ...requests(subjects, [...readVerbs, ...orderVerbs, ...relayVerbs]),
    ],
    subscribe: [...heard(subjects), ...requests(subjects, [...readVerbs, ...orderVerbs, ...relayVerbs])],
  }),
};

const requests = (subjects: Subjects, verbs: readonly string[]) => verbs.map((verb) => `${subjects.api()}.${verb}`);

/** Events of tasks, as core messages. */
const watched = (subjects: Subjects) => [
  subjects.every('status'),
  subjects.every('result'),
  subjects.everyLive(),
  subjects.everyInspected(),
];

/** Every stream of the crew. */
const streamsOf = (subjects: Subjects): string[] => [
  subjects.workStream,
  subjects.logStream,
  subjects.timerStream,
  subjects.talkStream,
  subjects.deadStream,
  subjects.artifactStream,
  subjects.costStream,
  subjects.crewStream,
  `KV_${subjects.stateBucket}`,
  `KV_${subjects.memoryBucket}`,
];

/** The subjects on which each node publishes for its tasks. Replies go to other nodes, and to the account `DESK`. */
const written = (subjects: Subjects): string[] => [
  subjects.ticket('*', 'wake'),
  subjects.every('status'),
  subjects.every('result'),
  `$KV.${subjects.stateBucket}.>`,
  `$KV.${subjects.memoryBucket}.>`,
  subjects.timer('*.*', 'set'),
  subjects.everyLetter(),
  subjects.everyArtifact(),
  subjects.everyLive(),
  subjects.everyInspected(),
  subjects.inspectionWanted(),
  subjects.everyNudge(),
  subjects.full(),
  '$JS.API.INFO',
  '_INBOX.>',
  '_R_.>',
];

const heard = (subjects: Subjects): string[] => [
  subjects.everyMessage(),
  subjects.everyLive(),
  subjects.everyInspected(),
  subjects.inspectionWanted(),
  subjects.everyNudge(),
  subjects.full(),
  subjects.members(),
  '$SRV.>',
];

/** To read a stream, and to take and acknowledge its messages. */
const reading = (stream: string): string[] => [
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.STREAM.MSG.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}.>`,
  `$JS.API.CONSUMER.CREATE.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.*`,
  `$JS.API.CONSUMER.INFO.${stream}.*`,
  `$JS.API.CONSUMER.DELETE.${stream}.*`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
  `$JS.ACK.${stream}.>`,
];

const keeping = (stream: string): string[] => ['CREATE', 'UPDATE', 'PURGE'].map((verb) => `$JS.API.STREAM.${verb}.${stream}`);

/** A subject of `CREW` that `DESK` may use. */
export interface Shared {
  readonly kind: 'service' | 'stream';
  readonly subject: string;
  /** Whether a request gets more than one reply. */
  readonly manyReplies: boolean;
}

/** Everything that the account `DESK` reaches of the account `CREW`. */
export const sharedWithDesk = (subjects: Subjects): Shared[] => [
  ...requests(subjects, [...readVerbs, ...orderVerbs]).map((subject) => service(subject, subject.endsWith('.nodes'))),
  service(subjects.full()),
  service(subjects.every('steering')),
  service(subjects.everyNudge()),
  service(subjects.inspectionWanted()),
  ...watched(subjects).map((subject) => ({ kind: 'stream' as const, subject, manyReplies: false })),
];

const service = (subject: string, manyReplies = false): Shared => ({ kind: 'service', subject, manyReplies });
