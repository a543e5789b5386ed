/** The whole output of a result, for people: of a long one the record has the beginning (docs/adr/0031). */
import type { Crew } from '../bus/crew.ts';
import type { Result } from '../bus/messages.ts';
import { CoxError } from '../platform/errors.ts';
import type { Cli } from './cli.ts';

/** With `--json` nothing is read: the object has the ref. Where the whole is gone or damaged, a note says so. */
export async function outputOf(cli: Cli, crew: Crew, result: Result): Promise<string> {
  const { output } = result;
  if (cli.global.json || output === null) return '';
  const { wholeOutput } = await import('../bus/artifacts/long-text.ts');
  try {
    return (await wholeOutput(crew.artifacts(), result)) ?? '';
  } catch (cause) {
    if (!(cause instanceof CoxError)) throw cause;
    cli.out.note([cause.message, 'This is the beginning alone.']);
    return output;
  }
}
