/**
 * Calls of tools that write, as one host has started them. What only the host knows of a call, its record holds the hash of; so when the
 * task is lost in the middle of it, the outcome can be told later and be believed (PROTOCOL line 10, docs/adr/0016).
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type CallOutcome, maxSteerChars } from '../../bus/messages.ts';
import type { InFlight } from '../../bus/state/state-record.ts';

/** How a call came out. */
export interface EndedCall {
  readonly text: string;
  readonly failed: boolean;
  readonly artifacts: readonly string[];
}

const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const knows = (secret: string, call: string, flight: InFlight): boolean => call === flight.call && hash(secret) === flight.proof;

/** Whether an outcome is of this run of this call, and of who ran it. */
export const isProven = ({ call, epoch, proof }: CallOutcome, flight: InFlight): boolean =>
  epoch === flight.epoch && knows(proof, call, flight);

export class InFlightCalls {
  /** By the call: the secret of its latest run here. */
  readonly #secrets = new Map<string, string>();
  readonly #ended = new Map<string, EndedCall>();

  /** A run of it starts once the next commit is durable. */
  begins(call: string): void {
    this.#secrets.set(call, randomBytes(24).toString('base64url'));
    this.#ended.delete(call);
  }

  /** Whether what a record says of the call in flight is of the run that was to start here. */
  isOurs(call: string, flight: InFlight): boolean {
    const secret = this.#secrets.get(call);
    return secret !== undefined && knows(secret, call, flight);
  }

  ended(call: string, how: EndedCall): void {
    if (this.#secrets.has(call)) this.#ended.set(call, how);
  }

  /** What a commit is to say of `call`, the one in flight: ours, or what the record has of a run elsewhere. */
  mark(call: string | null, before: InFlight | undefined, epoch: number, node: string): InFlight | undefined {
    if (call === null) return undefined;
    const secret = this.#secrets.get(call);
    if (secret === undefined) return before?.call === call ? before : undefined;
    return { call, epoch, node, proof: hash(secret) };
  }

  /** Calls whose outcome the machine has by now: a commit of its state covers them. */
  heard(): string[] {
    return [...this.#ended.keys()];
  }
  covered(calls: readonly string[]): void {
    for (const call of calls) {
      this.#ended.delete(call);
      this.#secrets.delete(call);
    }
  }

  /** Outcomes that no commit has, to be told; each once. */
  untold(epoch: number, node: string): CallOutcome[] {
    const told = [...this.#ended].map(
      ([call, { text, failed, artifacts }]): CallOutcome => ({
        ...{ type: 'outcome', id: `outcome:${randomUUID()}`, from: node, call, epoch, failed },
        proof: this.#secrets.get(call)!,
        text: text.slice(0, maxSteerChars),
        artifacts: artifacts.slice(0, 256).map((name) => name.slice(0, 1024)),
      }),
    );
    this.covered(this.heard());
    return told;
  }
}
