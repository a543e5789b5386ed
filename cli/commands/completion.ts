/** `cox completion bash|zsh|fish`: prints a script that makes a shell call `cox complete`. */
import type { Run } from '../cli.ts';
import { scripts } from '../complete/scripts.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';

export const run: Run = async (cli, [shell = '']) => {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell as keyof typeof scripts] : null;
  if (!script) throw usageError(`There is no completion for "${shell}".`, `Known shells: ${Object.keys(scripts).join(', ')}.`);
  cli.out.content({ shell, script }, script);
  return exitCodes.ok;
};
