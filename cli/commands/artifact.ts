/** `cox artifact`: prints an artifact as it is, such as a file before a write, or the whole diff of an approval. */
import type { Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { withCrew } from '../session.ts';

export const run: Run = async (cli, [name = '']) =>
  withCrew(cli, { start: 'if stored' }, async ({ crew }) => {
    const { readArtifact } = await import('../artifact.ts');
    const { content, label } = await readArtifact(crew, name);
    const bytes = Buffer.from(content?.bytes ?? []);
    const { json, stdout } = cli.out;
    if (json) {
      const { mode = null } = content ?? {};
      cli.out.answer({ name, mode, base64: content && bytes.toString('base64') }, []);
    } else if (!content) cli.out.note(`${name}: there was no file.`);
    else if (!stdout.isTTY) stdout.write(bytes);
    else if (isText(bytes)) cli.out.content({}, bytes.toString());
    else throw usageError(`${name} is no text (${label.type}).`, `cox artifacts get ${name} writes it into a file.`);
    return exitCodes.ok;
  });

function isText(bytes: Uint8Array): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(bytes).includes('\0');
  } catch {
    return false;
  }
}
