/**
 * Messages of a client with the crew's credentials that wants to do harm: any subject, any payload, any headers. Only two things
 * are left out, because whoever may do them needs no other attack: requests to the server itself (`$JS.API`), and orders to the
 * tasks of others that they would rightly obey.
 */
import { createHash } from 'node:crypto';
import { headers, type MsgHdrs } from '@nats-io/nats-core';
import { examples } from '../../../bus/protocol/protocol-examples.ts';
import { verbs } from '../../../bus/protocol/protocol-schemas.ts';
import type { Subjects } from '../../../bus/subjects.ts';

export interface Hostile {
  readonly subject: string;
  readonly payload: string | Uint8Array;
  readonly headers?: MsgHdrs;
  readonly isRequest: boolean;
}

export interface Targets {
  /** Tasks of others: only forged statuses, results and tickets go to them, and steers that are malformed. */
  readonly honest: () => readonly string[];
  /** Tasks of the client's own: a live one and one that has ended. */
  readonly own: readonly string[];
}

export const digestOf = (payload: string | Uint8Array): string => createHash('sha256').update(payload).digest('base64');

export function grammar(subjects: Subjects, { honest, own }: Targets, roll: (n: number) => number): () => Hostile {
  const one = <T>(items: readonly T[]): T => items[roll(items.length)]!;
  const number = () => one([0, -1, 1, 1.5, 2 ** 31, 2 ** 53, 1e308, -0.5]);
  const long = () =>
    one(['x', '"', '\\', '\u001b[31m', '\u202e', '😀', '\r\n', '[']).repeat(one([1, 10, 1_000, 50_000, 500_000]));
  const words = () => one(['', 'x', 'yes', '__proto__', 'constructor', 'k3xq.0', 'seq:1', 'now', 'orphaned', long()]);
  const value = (depth = 3): unknown => {
    if (depth === 0 || roll(3) > 0) return one([number, words, () => null, () => true])();
    const inner = Array.from({ length: roll(4) }, () => value(depth - 1));
    return roll(2) === 0 ? inner : Object.fromEntries(inner.map((it) => [words(), it]));
  };
  /** A message that is right but for some of its fields. */
  const changed = (message: object): object => {
    const fields = Object.entries(message);
    for (let n = roll(3); n > 0; n--) fields[roll(fields.length)] = [roll(4) === 0 ? words() : one(fields)[0], value()];
    return Object.fromEntries(fields);
  };
  const deep = () => one(['[', '{"a":']).repeat(one([100, 10_000, 100_000]));
  const bytes = () => Uint8Array.from({ length: roll(200) }, () => roll(256));
  const junk = (): string | Uint8Array =>
    one<() => string | Uint8Array>([() => '', words, deep, bytes, () => JSON.stringify(value())])();
  const like = (name: keyof typeof examples) => {
    const text = JSON.stringify(changed(one(examples[name])));
    return roll(8) === 0 ? text.slice(0, roll(text.length)) : text;
  };
  const ids = () => [...own, 'nobody.0', 'nobody.1', `z${roll(50)}.0`, 'UPPER.case', 'k3xq.0'];
  const either = (name: keyof typeof examples) => (roll(3) === 0 ? junk() : like(name));

  const on: readonly (() => readonly [string, string | Uint8Array])[] = [
    () => [`cox.tasks.${one(ids())}.steering`, either('SteeringMessage')],
    () => [`cox.tasks.${one(ids())}.steering`, `TOKEN-${roll(1_000_000)}`],
    () => [`cox.tasks.${one([...honest(), ...own])}.steering`, `{"type":"steer","text":"x","${words()}":1}`],
    () => [`cox.tasks.${one([...honest(), ...ids()])}.status`, either('Status')],
    () => [`cox.tasks.${one([...honest(), ...ids()])}.result`, either('Result')],
    () => [subjects.ticket(one(['reasoning', 'supervisor', 'nobody']), one(['pending', 'wake'])), either('Ticket')],
    () => [`cox.live.${one([...honest(), ...ids()])}`, either('Live')],
    () => [`cox.nudge.${one([...honest(), ...ids()])}`, junk()],
    () => [`cox.timers.${one(['set', 'due'])}.${one(ids())}`, junk()],
    () => [`cox.dead.${one(ids())}.letter`, either('DeadLetter')],
    () => [`cox.artifacts.${one(ids())}.s1-0.1.head`, either('ArtifactHead')],
    () => [`cox.talk.${roll(9)}.line`, either('TalkLine')],
    () => ['cox.full', junk()],
    () => [
      `$KV.cox_tasks.z${roll(50)}.0`,
      roll(2) === 0 ? junk() : JSON.stringify(changed({ ...examples.TaskSpec[0], id: 'z1.0' })),
    ],
  ];
  const asked: readonly (() => string | Uint8Array)[] = [
    () => JSON.stringify(changed({ task: one(ids()), text: 'x', waitMs: one([0, 1, 50]) })),
    () => JSON.stringify({ task: one(ids()) }),
    () => JSON.stringify(changed({ type: 'nobody', instruction: 'x' })),
    junk,
  ];
  const someHeaders = (): MsgHdrs => {
    const all = headers();
    const names = ['Nats-Msg-Id', 'Nats-Expected-Last-Sequence', 'Nats-TTL', 'Nats-Schedule', 'Nats-Rollup', 'X-Any'];
    all.append(one(names), one(['', '0', 'x', 'seq:1', 'sub', '1s', 'y'.repeat(500)]));
    return all;
  };
  return () => {
    const isRequest = roll(6) === 0;
    const [subject, payload] = isRequest ? [`cox.api.${one([...verbs, 'none'])}`, one(asked)()] : one(on)();
    return { subject, payload, isRequest, ...(roll(6) === 0 && { headers: someHeaders() }) };
  };
}
