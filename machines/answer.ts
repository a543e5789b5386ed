/**
 * The meaning of an operator's words as the answer to a question. The charts apply this mapping, so it is the same for every
 * surface and for every client on the bus.
 */
import { answered, type Calls, type Message, type Question } from './conversation.ts';
import type { EffectOutcome } from './effects.ts';

/** The part of a question that decides what words mean. */
type Asked = Pick<Question, 'choices'> & { readonly kind: string };

export type Meaning =
  /** The words name this choice. */
  | { readonly kind: 'choice'; readonly choice: string }
  /** The question takes any text, and this is one. */
  | { readonly kind: 'words' }
  /** The question takes only a choice, and the words name none for certain. `hint` says which words it takes. */
  | { readonly kind: 'unclear'; readonly hint: string };

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));

/** An approval begins with one of these, in English, German, French, Spanish or Italian. */
const yes = words(
  'y yes yeah yep ok okay sure approve approved allow allowed go do ja jawohl klar genehmigt oui sí si accordé vale',
);
/** A refusal begins with one of these. */
const no = words("n no nope deny denied refuse reject stop never don't dont nein nicht verweigern abgelehnt non jamais");
/** Words that may follow a yes without changing it. Any other word makes the approval unclear: it may carry a condition. */
const harmless = words(
  'a ahead and approved approve allowed allow agree agreed am by cool course do fine file for good go great i is it let me ' +
    'may my now of ok okay on perfect permission please right run save sounds sure thank thanks that the them this to will with write ' +
    'yes you your bitte danke du darfst das die den datei es gern gerne ist in ordnung ja mach machen nur zu schreib schreiben tu tun ' +
    "vas-y allez-y s'il te vous plaît plait d'accord merci oui el la lo adelante por favor gracias",
);
/** Words after a no that may turn it into a yes, as in "no problem, go ahead". */
const turnsNo = words('problem problems worries objection objections doubt issue issues go yes ok approve allow');

const tokensOf = (text: string): string[] =>
  text
    .toLowerCase()
    .replaceAll('’', "'")
    .match(/[\p{L}\p{N}'.\-_/]+/gu) ?? [];

/** `yes, you may write it` approves, `no, use b.txt` denies, `yes, but only once` is unclear. */
function verdictOf(text: string): 'approve' | 'deny' | null {
  const [first, ...rest] = tokensOf(text).map((token) => token.replace(/[.]{1,9}$/, ''));
  if (first === undefined || text.includes('?')) return null;
  if (first === 'do' && rest[0] === 'not') return 'deny';
  if (yes.has(first))
    return rest.every((token) => harmless.has(token)) && !(first === 'go' && rest[0] !== 'ahead') ? 'approve' : null;
  if (no.has(first)) return rest.some((token) => turnsNo.has(token)) ? null : 'deny';
  return null;
}

export function meaningOf({ kind, choices = [] }: Asked, text: string): Meaning {
  const said = text.trim().toLowerCase();
  const exact = choices.find((choice) => choice.toLowerCase() === said);
  if (exact !== undefined) return { kind: 'choice', choice: exact };
  // An agent's own question takes any text, so the beginning of a choice may be the complete answer.
  if (kind === 'asked') return { kind: 'words' };
  const begun = said === '' ? [] : choices.filter((choice) => choice.toLowerCase().startsWith(said));
  if (begun.length === 1) return { kind: 'choice', choice: begun[0]! };
  if (kind !== 'approval') return { kind: 'words' };
  const verdict = verdictOf(text);
  if (verdict !== null) return { kind: 'choice', choice: verdict };
  return { kind: 'unclear', hint: 'it is not clear whether that allows it: say `yes` or `approve`, or `no` and why not' };
}

/** The choice that an answer names; undefined for other words. */
export function chosen(question: Asked | null, text: string): string | undefined {
  const meaning = question && meaningOf(question, text);
  return meaning?.kind === 'choice' ? meaning.choice : undefined;
}

/** The result of a call that the operator denied begins so; the words of the operator follow. */
export const deniedBy = 'not run, the operator says: ';

/**
 * The answer to a question about a call either lets the call run or becomes its result. `outcome`: how the call ended by that;
 * left out where it has not ended.
 */
export function applyAnswer(
  question: Question,
  text: string,
  [call, ...rest]: Calls,
  args?: unknown,
): { calls: Calls; said: Message[]; outcome?: EffectOutcome } {
  if (!call) return { calls: [], said: [] };
  const choice = chosen(question, text);
  if (question.kind === 'approval' && choice === 'approve') {
    const { mayPass: _, ...asked } = call;
    const edit = args !== undefined && { args, edited: true, ...(call.varies && { effects: 'writes' as const }) };
    return { calls: [{ ...asked, gated: false, ...edit }, ...rest], said: [] };
  }
  if (question.kind === 'in-doubt' && choice === 'run it again')
    return { calls: [{ ...call, started: false }, ...rest], said: [] };
  if (question.kind === 'asked') return { calls: rest, said: answered([call], text) };
  if (question.kind === 'approval') return { calls: rest, said: answered([call], `${deniedBy}${text}`), outcome: 'denied' };
  const outcome = choice === 'it ran' ? 'done' : 'in-doubt';
  return { calls: rest, said: answered([call], `the operator says: ${text}`), outcome };
}

/** Why words that name no choice leave the question open. */
export const whyUnclear = (question: Question | null, text: string): string => {
  const meaning = question && meaningOf(question, text);
  return meaning?.kind === 'unclear' ? `question ${question!.id} stays open: ${meaning.hint}` : '';
};

/** The decision of an answer about a gated call, for the receipt; undefined for answers to other questions. */
export function decisionOf(question: Question | null, text: string, args?: unknown): string | undefined {
  if (question?.kind !== 'approval') return undefined;
  if (chosen(question, text) !== 'approve') return 'denied';
  return args === undefined ? 'allowed' : 'allowed, as edited';
}
