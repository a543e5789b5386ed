/** `cox completion bash|zsh|fish`: the script that tells a shell to ask `cox complete`. */
import type { Run } from '../cli.ts';
import { scripts } from '../complete/scripts.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';

export const run: Run = async (cli, [shell = '']) => {
  const script = shell in scripts ? scripts[shell as keyof typeof scripts] : null;
  if (!script) throw usageError(`There is no completion for "${shell}".`, `There is for: ${Object.keys(scripts).join(', ')}.`);
  cli.out.answer({ shell, script }, script);
  return exitCodes.ok;
};
