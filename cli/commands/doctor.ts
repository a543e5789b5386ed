/** `cox doctor`: checks the machine and says how to fix each problem. It downloads, starts and changes nothing. */
import { foldersOf } from '../../platform/folders.ts';
import type { Run } from '../cli.ts';
import { diagnose, type Finding } from '../diagnosis.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Paint } from '../render/paint.ts';
import { oneLine, printable } from '../render/printable.ts';

export const run: Run = async (cli) => {
  const findings = await diagnose(cli, foldersOf(cli.env));
  const paint = cli.out.paint.stdout;
  const isFit = findings.every(({ level }) => level !== 'problem');
  const verdict = isFit ? 'Ready to work.' : 'Not ready: fix each line marked ✗.';
  cli.out.answer({ ok: isFit, findings }, [...findings.flatMap((finding) => lines(finding, paint)), verdict]);
  return isFit ? exitCodes.ok : exitCodes.failed;
};

function lines({ level, what, found, hint }: Finding, paint: Paint): string[] {
  const mark = { good: paint.green('✓'), note: paint.yellow('·'), problem: paint.red('✗') }[level];
  return [
    `${mark} ${paint.bold(oneLine(what, 100))}  ${printable(found)}`,
    ...(hint ? [`    ${paint.dim(printable(hint))}`] : []),
  ];
}
