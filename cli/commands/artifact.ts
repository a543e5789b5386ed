/** `cox artifact`: prints an artifact as it is, such as a file before a write, or the whole diff of an approval. */
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { printArtifact } from '../print-artifact.ts';
import { withCrew } from '../session.ts';

export const run: Run = async (cli, [name = '']) =>
  withCrew(cli, { start: 'if stored' }, async ({ crew }) => {
    const { readArtifact } = await import('../artifact.ts');
    const { content, label } = await readArtifact(crew, name);
    if (cli.out.json) {
      const base64 = content && Buffer.from(content.bytes).toString('base64');
      cli.out.answer({ name, mode: content?.mode ?? null, base64 }, []);
    } else if (content) printArtifact(cli, name, content.bytes, label);
    else cli.out.note(`${name}: there was no file.`);
    return exitCodes.ok;
  });
