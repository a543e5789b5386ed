/** Prints the content of an artifact as it is. On a terminal it is text, without what a terminal would obey. */
import type { Label } from '../bus/artifacts/label.ts';
import type { Cli } from './cli.ts';
import { usageError } from './errors.ts';

/** @throws CoxError `usage` for what is no text, where stdout is a terminal. */
export function printArtifact(cli: Cli, ref: string, bytes: Uint8Array, { type }: Label): void {
  const { stdout } = cli.out;
  if (!stdout.isTTY) stdout.write(bytes);
  else if (isText(bytes)) cli.out.content({}, Buffer.from(bytes).toString());
  else throw usageError(`${ref} is no text (${type}).`, `cox artifacts get ${ref} writes it into a file.`);
}

function isText(bytes: Uint8Array): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(bytes).includes('\0');
  } catch {
    return false;
  }
}
