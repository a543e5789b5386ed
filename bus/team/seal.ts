/**
 * The seal of an order: who has ordered this task with this specification. A goal or a single task is sealed by an operator, a
 * sub-task by the node that holds its parent. The seal stays with the task, on its first ticket and in its record.
 */
import { type Seal, TaskSpec } from '../messages.ts';
import type { TaskId } from '../task-id.ts';
import { canonical } from './canonical.ts';
import { isSignedBy, type Signer } from './nkeys.ts';
import { sha256 } from './signature.ts';

/** An order as it is sealed. */
export interface Order {
  readonly namespace: string;
  readonly id: TaskId;
  readonly spec: TaskSpec;
}

const textOf = ({ namespace, id, spec }: Order, at: string): string =>
  ['cox-seal-1', namespace, id, at, sha256(canonical(spec))].join('\n');

/** Seals the specification as a reader parses it. */
export function sealed({ spec, ...order }: Order, signer: Signer, now: Date): Seal {
  const at = now.toISOString();
  return { key: signer.key, at, signature: signer.sign(textOf({ ...order, spec: TaskSpec.parse(spec) }, at)) };
}

export const isSealOf = (order: Order, { key, at, signature }: Seal): boolean => isSignedBy(key, textOf(order, at), signature);
