/** `cox complete -- <words>`: prints candidates. The completion scripts of the shells call it when Tab is pressed. */
import type { Cli, Run } from '../cli.ts';
import { type Grammar, readWords } from '../complete/typed-place.ts';
import { type Word, type Words, wordsAt } from '../complete/words.ts';
import { exitCodes } from '../exit-codes.ts';
import { printable } from '../render/printable.ts';

/** Longest time for a lookup. A shell must not hang, but on a busy machine the start of `cox` alone takes seconds. */
const patienceMs = 10_000;

/** @param grammar the commands and global options that can be completed. */
export const completing =
  (grammar: Grammar): Run =>
  async (cli, words) => {
    const { place, typed, given } = readWords(words, grammar);
    const found = await wordsAt(as(cli, given), place, typed, grammar).catch((): Words => []);
    const lines = typeof found === 'string' ? [found] : found.filter(canBeTyped).map(({ word, about }) => `${word}\t${about}`);
    cli.out.answer({ words: found }, lines);
    return exitCodes.ok;
  };

/** A word that is not what it looks like, such as a choice with a line break, would be another word on the command line. */
const canBeTyped = ({ word }: Word): boolean => word === printable(word) && !/[\n\t]/.test(word);

/** The command line's own context, with the `--namespace` and `--roster` of the line that is being completed. */
const as = (cli: Cli, given: ReadonlyMap<string, string>): Cli => ({
  ...cli,
  env: given.has('--namespace') ? { ...cli.env, COX_NAMESPACE: given.get('--namespace') } : cli.env,
  global: { ...cli.global, roster: given.get('--roster') ?? cli.global.roster },
  signal: AbortSignal.any([cli.signal, AbortSignal.timeout(patienceMs)]),
});
