/** The money that a task has paid: a contract’s own account, which shares nothing with the charts. */
import type { Usage, UsageByBackend } from '../../machines/conversation.ts';

export class Till {
  usage: UsageByBackend = {};
  /** The request with a price that is out. */
  out: { backend: string; worstUsd: number } | null = null;

  get spent(): number {
    return Object.values(this.usage).reduce((sum, { costUsd }) => sum + costUsd, 0);
  }
  /** The request that is out, in the form of an observation. */
  get reserved() {
    return this.out && { backend: this.out.backend, costUsd: this.out.worstUsd };
  }

  spend(backend: string, { inputTokens, outputTokens, costUsd, estimatedUsd = 0 }: Usage): void {
    const so = this.usage[backend] ?? { inputTokens: 0, outputTokens: 0, costUsd: 0 };
    const estimated = (so.estimatedUsd ?? 0) + estimatedUsd;
    const sum = {
      inputTokens: so.inputTokens + inputTokens,
      outputTokens: so.outputTokens + outputTokens,
      costUsd: so.costUsd + costUsd,
      ...(estimated > 0 && { estimatedUsd: estimated }),
    };
    this.usage = { ...this.usage, [backend]: sum };
  }
  /** Takes the bill of the request that is out, if there is one. */
  bill(backend: string, usage: Usage): void {
    this.out = null;
    this.spend(backend, usage);
  }
  /** Counts a request without a bill at its worst case. */
  spendAll(backend: string, worstUsd: number): void {
    this.spend(backend, { inputTokens: 0, outputTokens: 0, costUsd: worstUsd, estimatedUsd: worstUsd });
  }
  doubt(): void {
    if (this.out) this.spendAll(this.out.backend, this.out.worstUsd);
    this.out = null;
  }
}
