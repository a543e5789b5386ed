/** `cox complete -- <words>`: what the shells' scripts ask when Tab is pressed. */
import type { Cli, Run } from '../cli.ts';
import { type Grammar, readWords } from '../complete/place.ts';
import { type Words, wordsAt } from '../complete/words.ts';
import { exitCodes } from '../exit-codes.ts';

/** A prompt that hangs is worse than one that completes nothing; a busy machine is given the time that a start takes there. */
const patienceMs = 10_000;

/** @param grammar the commands and options that can be completed. */
export const completing =
  (grammar: Grammar): Run =>
  async (cli, words) => {
    const { place, typed, given } = readWords(words, grammar);
    const found = await wordsAt(as(cli, given), place, typed, grammar).catch((): Words => []);
    const lines = typeof found === 'string' ? [found] : found.map(({ word, about }) => `${word}\t${about}`);
    cli.out.answer({ words: found }, lines.join('\n'));
    return exitCodes.ok;
  };

/** With what the line that is being typed says of where to look. */
const as = (cli: Cli, given: ReadonlyMap<string, string>): Cli => ({
  ...cli,
  env: given.has('--namespace') ? { ...cli.env, COX_NAMESPACE: given.get('--namespace') } : cli.env,
  global: { ...cli.global, roster: given.get('--roster') ?? cli.global.roster },
  signal: AbortSignal.any([cli.signal, AbortSignal.timeout(patienceMs)]),
});
