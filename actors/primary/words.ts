/** Words of the operator in English, German and French, where code and not a model decides what they mean. */
import { withoutTail } from '../../platform/trim.ts';

/** Lower case, one form for each letter, straight quotes, no punctuation at the ends. */
export const plainText = (text: string): string =>
  withoutTail(
    text
      .normalize('NFKC')
      .toLowerCase()
      .replaceAll(/[’‘`´]/g, "'")
      .replaceAll(/[“”„«»"]/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
    ' .!?,;:',
  );

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** Words that point at a task and say nothing about it. */
const fillers = set(
  'the a an this that these those one ones task tasks job jobs agent agents please now again my our your his her its of for on in to at about with from ' +
    'from by and or is are was has have had so far just currently running right ' +
    'der die das den dem des ein eine einen einem einer dieser diese dieses diesen aufgabe aufgaben auftrag bitte jetzt von vom zu zum zur im in mit für über und ' +
    'le la les l un une des du de d ce cet cette ces tâche tâches tache taches maintenant au aux à sur pour avec et stp svp',
);

export const everything = set('all everything everyone everybody alles alle allen sämtliche tout tous toutes both beide beides');
const pronouns = set('it him her them they he she es ihn sie ihm ihr er ça cela celui-ci le la lui');

const ordinals: readonly ReadonlySet<string>[] = [
  set('first 1st erste ersten erster erstes premier première premiere 1er 1. eins'),
  set('second 2nd zweite zweiten zweiter zweites deuxième deuxieme second seconde 2. 2e zwei'),
  set('third 3rd dritte dritten dritter drittes troisième troisieme 3. 3e'),
  set('fourth 4th vierte vierten vierter viertes quatrième quatrieme 4. 4e'),
  set('fifth 5th fünfte fünften fünfter fünftes cinquième cinquieme 5. 5e'),
  set('sixth 6th sechste sechsten sechster sechstes sixième sixieme 6. 6e'),
];
const last = set('last latest newest letzte letzten letzter letztes neueste neuesten neuester dernier dernière derniere');
const subTask = set('sub-task sub-tasks subtask subtasks part teilaufgabe teil unteraufgabe sous-tâche sous-tache partie');
const goal = set('goal goals ziel ziele but objectif');

/** Stems that mean the same in the three languages. */
const families: readonly (readonly string[])[] = [
  ['translat', 'übersetz', 'tradu'],
  ['summar', 'zusammenfass', 'zusammenge', 'résum', 'resum'],
  ['search', 'such', 'cherch', 'recherch', 'research'],
  ['compar', 'vergleich'],
  ['invit', 'einlad'],
  ['report', 'bericht', 'rapport'],
  ['form', 'formular', 'formulaire'],
  ['email', 'e-mail', 'mail', 'courriel'],
  ['review', 'prüf', 'überprüf', 'vérif', 'relect'],
  ['list', 'liste'],
  ['book', 'buch', 'réserv', 'reserv'],
  ['invoice', 'rechnung', 'facture'],
  ['poem', 'gedicht', 'poème', 'poeme'],
  ['letter', 'brief', 'lettre'],
  ['test', 'tests'],
  ['licen', 'lizenz'],
];

export const tokensOf = (text: string): string[] =>
  plainText(text)
    .split(/[^\p{L}\p{N}.'_-]+/u)
    .map((token) => withoutTail(token.replace(/^(?:[ldcjmnst]|qu)'/, '').replace(/^[.'-]+(?=\D)/, ''), ".'-"))
    .filter((token) => token !== '');

/** A reference to tasks, such as `the second goal`, taken apart; fillers are left out. */
export interface Pointer {
  readonly all: boolean;
  /** 1 for the first; -1 for the last. */
  readonly ordinal: number | null;
  readonly level: 'goal' | 'sub-task' | null;
  /** The reference is a pronoun, or has nothing but fillers. */
  readonly isVague: boolean;
  readonly words: readonly string[];
}

export function pointerOf(ref: string): Pointer {
  const raw = plainText(ref)
    .split(/[\s,]+/)
    .filter((token) => token !== '');
  const ordinal = raw.reduce<number | null>((found, token) => found ?? ordinalOf(token), null);
  const has = (words: ReadonlySet<string>) => raw.some((token) => words.has(token));
  const words = tokensOf(ref).filter(
    (token) =>
      !fillers.has(token) &&
      !everything.has(token) &&
      !goal.has(token) &&
      !subTask.has(token) &&
      !(pronouns.has(token) && raw.length < 3) &&
      ordinalOf(token) === null,
  );
  return {
    all: has(everything) || /\bles deux\b/.test(plainText(ref)),
    ordinal,
    level: has(subTask) ? 'sub-task' : has(goal) ? 'goal' : null,
    isVague: words.length === 0,
    words,
  };
}

function ordinalOf(token: string): number | null {
  if (last.has(token)) return -1;
  const at = ordinals.findIndex((words) => words.has(token));
  return at < 0 ? null : at + 1;
}

/** Whether two words may mean the same thing: equal beginnings, or the same family. */
export function alike(a: string, b: string): boolean {
  if (a === b) return true;
  const shared = Math.min(a.length, b.length);
  if (shared >= 4 && (a.startsWith(b) || b.startsWith(a))) return true;
  if (shared >= 6 && a.slice(0, shared - 2) === b.slice(0, shared - 2)) return true;
  return families.some((stems) => [a, b].every((word) => stems.some((stem) => word.startsWith(stem))));
}

/** Words without which an act is not meant. */
export const actWords: Readonly<Record<string, RegExp>> = {
  cancel_task:
    /\b(?:stop|stopp|stoppe|cancel|abort|kill|end|terminate|quit|drop|never ?mind|not needed|forget|beende|abbrech|brich|storniere|arrête|arrete|annule|laisse tomber)/iu,
  pause_task: /\b(?:pause|pausier|hold|wait|suspend|halt|anhalt|warte|attend|suspens)/iu,
  resume_task: /\b(?:resume|continue|go on|unpause|carry on|weiter|fortsetz|setz|reprend|continue)/iu,
};

/** Words that ask to note or to recall something. */
export const aboutNotes = /\b(?:remember|note|noted|memori[sz]e|merke?n?|notiere?|erinnere?|retiens|souviens|rappelle)\b/iu;
/** A line that begins like this asks for new work. */
export const beginsWork =
  /^(?:please |bitte )?(?:read|summari[sz]e|compare|search|find|look|write|make|create|list|check|translate|count|draft|review|lies|lese|finde?|suche?|schreibe?|erstelle?|übersetze?|vergleiche?|prüfe?|lis|cherche|écris|traduis|résume|fais|trouve|vérifie)(?=\s)/iu;
