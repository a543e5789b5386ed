/** `cox artifact`: prints an artifact as it is, such as a file before a write, or the whole diff of an approval. */
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { withCrew } from '../session.ts';

export const run: Run = async (cli, [name = '']) =>
  withCrew(cli, { start: 'if stored' }, async ({ bus }) => {
    const { readArtifact } = await import('../artifact.ts');
    const content = await readArtifact(bus, name);
    const bytes = Buffer.from(content?.bytes ?? []);
    const { json, stdout } = cli.out;
    if (json) cli.out.answer({ name, mode: content?.mode ?? null, base64: content && bytes.toString('base64') }, []);
    else if (!content) cli.out.note(`${name}: there was no file.`);
    else if (stdout.isTTY) cli.out.content({}, bytes.toString());
    else stdout.write(bytes);
    return exitCodes.ok;
  });
