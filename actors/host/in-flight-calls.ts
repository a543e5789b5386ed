/**
 * The calls of writing tools that one host has started. The host keeps a secret for each call, and the state record has its hash.
 * If the task is lost during the call, the host can post the outcome later and prove it by the secret (rule `lost-call-outcome`,
 * docs/adr/0016).
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type CallOutcome, type Change, maxSteerChars } from '../../bus/messages.ts';
import type { InFlight } from '../../bus/state/state-record.ts';
import { beginningOf, fitted } from '../../platform/cut.ts';

/** The outcome of a call. */
export interface EndedCall {
  readonly text: string;
  readonly failed: boolean;
  readonly artifacts: readonly string[];
  readonly changes: readonly Change[];
}

const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const knows = (secret: string, call: string, flight: InFlight): boolean => call === flight.call && hash(secret) === flight.proof;

/** Whether an outcome belongs to this run of the call and comes from the worker that ran it. */
export const isProven = ({ call, epoch, proof }: CallOutcome, flight: InFlight): boolean =>
  epoch === flight.epoch && knows(proof, call, flight);

export class InFlightCalls {
  /** By the id of the call: the secret of its latest run here. */
  readonly #secrets = new Map<string, string>();
  readonly #ended = new Map<string, EndedCall>();

  /** Announces a run of the call: the next commit names it, and the run starts once that commit is durable. */
  begins(call: string): void {
    this.#secrets.set(call, randomBytes(24).toString('base64url'));
    this.#ended.delete(call);
  }

  /** Whether the in-flight call of a record is the run that was to start here. */
  isOurs(call: string, flight: InFlight): boolean {
    const secret = this.#secrets.get(call);
    return secret !== undefined && knows(secret, call, flight);
  }

  ended(call: string, how: EndedCall): void {
    if (this.#secrets.has(call)) this.#ended.set(call, how);
  }

  /** The in-flight call for the next commit: our run of `call`, or the run by another worker that the record already has. */
  mark(call: string | null, before: InFlight | undefined, epoch: number, node: string): InFlight | undefined {
    if (call === null) return undefined;
    const secret = this.#secrets.get(call);
    if (secret === undefined) return before?.call === call ? before : undefined;
    return { call, epoch, node, proof: hash(secret) };
  }

  /** Calls whose outcome the machine has been told. A commit of its state covers them. */
  heard(): string[] {
    return [...this.#ended.keys()];
  }
  covered(calls: readonly string[]): void {
    for (const call of calls) {
      this.#ended.delete(call);
      this.#secrets.delete(call);
    }
  }

  /** Outcomes that no commit covers, to be posted. Each is returned once. */
  untold(epoch: number, node: string): CallOutcome[] {
    const told = [...this.#ended].map(
      ([call, { text, failed, artifacts, changes }]): CallOutcome => ({
        ...{ type: 'outcome', id: `outcome:${randomUUID()}`, from: node, call, epoch, failed },
        proof: this.#secrets.get(call)!,
        text: fitted(text, maxSteerChars),
        artifacts: artifacts.slice(0, 256).map((name) => beginningOf(name, 1024)),
        changes: changes.slice(0, 256),
      }),
    );
    this.covered(this.heard());
    return told;
  }
}
