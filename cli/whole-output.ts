/** A result with its whole output, for people and programs: of a long one the record has the beginning (docs/adr/0031). */
import type { Crew } from '../bus/crew.ts';
import type { Result } from '../bus/messages.ts';
import { CoxError } from '../platform/errors.ts';
import type { Cli } from './cli.ts';

/** Where the whole is gone or damaged, the output is the beginning, and a note says so. */
export async function withWholeOutput(cli: Cli, crew: Crew, result: Result): Promise<Result> {
  const { wholeOutput } = await import('../bus/artifacts/long-text.ts');
  try {
    return { ...result, output: await wholeOutput(crew.artifacts(), result) };
  } catch (cause) {
    if (!(cause instanceof CoxError)) throw cause;
    cli.out.note([cause.message, 'This is the beginning alone.']);
    return result;
  }
}
