/**
 * `cox doctor`: checks the machine and says how to fix each problem. It downloads, starts and changes nothing, except with
 * `--install`, which fetches one part into the cache first.
 */
import { z } from 'zod';
import { foldersOf } from '../../platform/folders.ts';
import { openLog } from '../../platform/log.ts';
import { progressBar } from '../../platform/progress.ts';
import type { Cli, Run } from '../cli.ts';
import { diagnose, type Finding } from '../diagnosis.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseOptions } from '../parse-options.ts';
import { parts } from '../parts.ts';
import type { Paint } from '../render/paint.ts';
import { oneLine, printable } from '../render/printable.ts';

const names = parts.map(({ name }) => name);
const Options = z.object({ install: z.enum(names, `expected one of ${names.join(', ')}`).optional() });

export const run: Run = async (cli, _, options) => {
  const { install } = parseOptions(Options, options);
  if (install !== undefined) await installPart(cli, install);
  const findings = await diagnose(cli, foldersOf(cli.env));
  const paint = cli.out.paint.stdout;
  const isFit = findings.every(({ level }) => level !== 'problem');
  const verdict = isFit ? 'Ready to work.' : 'Not ready: fix each line marked ✗.';
  cli.out.answer({ ok: isFit, findings }, [...findings.flatMap((finding) => lines(finding, paint)), verdict]);
  return isFit ? exitCodes.ok : exitCodes.failed;
};

async function installPart(cli: Cli, name: string): Promise<void> {
  const part = parts.find((it) => it.name === name)!;
  const folders = foldersOf(cli.env);
  const log = openLog({ folder: folders.state, verbose: cli.global.verbose, name: 'doctor' });
  const { onProgress, end } = progressBar(cli.out.stderr);
  try {
    const found = await part.install({ folder: folders.cache, log, env: cli.env, signal: cli.signal, onProgress });
    end();
    cli.out.note(`Installed: ${found}`);
  } finally {
    end();
  }
}

function lines({ level, what, found, hint }: Finding, paint: Paint): string[] {
  const mark = { good: paint.green('✓'), note: paint.yellow('·'), problem: paint.red('✗') }[level];
  return [
    `${mark} ${paint.bold(oneLine(what, 100))}  ${printable(found)}`,
    ...(hint ? [`    ${paint.dim(printable(hint))}`] : []),
  ];
}
