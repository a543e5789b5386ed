/** `cox answer`: answers a question by its task and id, or questions by their numbers in the inbox. */
import type { CrewSession } from '../../actors/node/join.ts';
import type { Question } from '../../bus/messages.ts';
import { foldersOf } from '../../platform/folders.ts';
import { approvalWord } from '../approval.ts';
import { askLine, canAsk } from '../ask.ts';
import type { Cli, Run } from '../cli.ts';
import { Interrupted, usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Named, type Numbered, namedBy, numbered, shownOf, stillOpen, takers } from '../inbox.ts';
import { inboxLines } from '../render/inbox.ts';
import { oneLine } from '../render/printable.ts';
import { withCrew } from '../session.ts';
import { recall, remember } from '../shown-inbox.ts';
import { verbs } from '../verbs.ts';
import { codeOf, type Delivered, deliver, meantAt, steering, takenUpLater, waitOf } from './steer.ts';

const list = 'cox inbox';

export const run: Run = async (cli, [ref = '', ...words], options) => {
  const named = namedBy(ref, words[0]);
  if (named === null) return steering('answer')(cli, [ref, ...words], options);
  const text = textOf(ref, words);
  return withCrew(cli, { start: 'if stored' }, async (joined, isTemporary) => {
    const wait = waitOf(options.wait !== false, isTemporary);
    const chosen =
      named === 'all'
        ? await confirmed(cli, joined, text, options.yes === true)
        : { takes: await byNumber(cli, joined, named), left: [] };
    if (chosen.takes.length > 1 && approvalWord(text) === 'edit')
      throw usageError('`edit` answers one question at a time.', 'As in: cox answer 2 edit');
    const meanings = [];
    for (const { number, id, question } of chosen.takes)
      meanings.push({ number, question: question.id, ...(await meantAt(cli, joined, id, answerTo(question, text))) });
    const answered = await Promise.all(
      meanings.map(async ({ to, message, ...named }) => ({
        ...named,
        ...(await deliver(cli, joined.crew, to, message, wait)),
      })),
    );
    if (isTemporary && answered.some(({ fate }) => fate === 'sent')) cli.out.note(takenUpLater);
    if (cli.global.json) cli.out.answer(asJson(named, answered, chosen.left), []);
    return answered.map(codeOf).find((code) => code !== exitCodes.ok) ?? exitCodes.ok;
  });
};

const answerTo = ({ id }: Question, text: string) => ({ type: 'answer', question: id, text }) as const;

/** The words of an answer. @throws CoxError `empty-text`, `too-long`. */
function textOf(ref: string, words: readonly string[]): string {
  return verbs.answer.message([ref, ...words]).text;
}

async function byNumber(cli: Cli, { crew }: CrewSession, named: Named): Promise<Numbered[]> {
  const shown = recall(foldersOf(cli.env));
  return stillOpen(named, shown, shown === null ? [] : await crew.questions(), list);
}

interface Chosen {
  readonly takes: readonly Numbered[];
  readonly left: readonly Numbered[];
}

/** The questions that `all` means, once the operator has seen them and agreed. */
async function confirmed(cli: Cli, { crew, bus }: CrewSession, text: string, isAgreed: boolean): Promise<Chosen> {
  const folders = foldersOf(cli.env);
  const open = await crew.questions();
  const shown = isAgreed ? recall(folders) : null;
  const seen = isAgreed ? stillOpen('all', shown, open, list) : numbered(open);
  if (!isAgreed && !canAsk(cli))
    throw usageError('"all" asks before it answers, and this is no terminal.', `See ${list}, then add --yes.`);
  if (!isAgreed) remember(folders, shownOf(seen));
  const chosen = takers(seen, text);
  const paint = cli.out.paint.stderr;
  const say = (lines: readonly string[]) => cli.out.note(lines);
  if (chosen.takes.length > 0 || seen.length === 0)
    say(inboxLines(chosen.takes, paint, { now: bus.now(), answerWith: null, showWith: 'cox status' }));
  if (chosen.left.length > 0)
    say([`${countOf(chosen.left)} left open, because “${oneLine(text, 40)}” is not one of the choices.`]);
  if (open.length > seen.length) say([`${open.length - seen.length} asked since then, and left open: ${list} shows them.`]);
  if (isAgreed || chosen.takes.length === 0) return chosen;
  let isInterrupted = false;
  const onInterrupt = () => {
    isInterrupted = true;
  };
  const agreed = await askLine(cli, `Answer ${countOf(chosen.takes)} with “${oneLine(text, 40)}”? [y/N] `, { onInterrupt });
  if (isInterrupted) throw new Interrupted(exitCodes.interrupted);
  if (/^y(es)?$/i.test(agreed?.trim() ?? '')) return chosen;
  say(['Nothing was answered.']);
  return { takes: [], left: seen };
}

const countOf = ({ length }: readonly Numbered[]): string => (length === 1 ? 'this 1' : `these ${length}`);

function asJson(named: Named, answered: readonly Delivered[], left: readonly Numbered[]): object {
  if (named !== 'all' && answered.length === 1) return answered[0]!;
  return { answered, left: left.map(({ number, id, question }) => ({ number, id, question: question.id })) };
}
