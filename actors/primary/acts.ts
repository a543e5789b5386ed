/**
 * Reads acts from a line of the operator, in English, German and French. Only whole, plain sentences count: whatever is not
 * certain is null and goes to the model. Pure.
 */
import { plainText, pointerOf } from './words.ts';

export type Act =
  | { readonly act: 'cancel' | 'pause' | 'resume' | 'result'; readonly ref: string }
  | { readonly act: 'status'; readonly ref: string | null }
  | { readonly act: 'steer'; readonly ref: string; readonly text: string }
  | { readonly act: 'swap'; readonly ref: string; readonly backend: string }
  | { readonly act: 'backends' };

type Make = (found: readonly string[]) => Act;
const ref =
  (act: 'cancel' | 'pause' | 'resume' | 'result'): Make =>
  ([, given = '']) => ({ act, ref: given });
const status: Make = ([, given]) => ({ act: 'status', ref: given ?? null });
const swapTo: Make = ([, given = '', backend = '']) => ({ act: 'swap', ref: given, backend });
const swapFor: Make = ([, backend = '', given = '']) => ({ act: 'swap', ref: given, backend });
const backends: Make = () => ({ act: 'backends' });
const word = "([\\w.-]+|the other (?:model|backend|one)|(?:das andere|anderes) modell|l'autre modèle)";

const table: readonly (readonly [RegExp, Make])[] = [
  [/^(?:stop|cancel|abort|kill|terminate|end) (.+)$/, ref('cancel')],
  [/^(?:stoppe?|beende|storniere|canc(?:el|le)) (.+)$/, ref('cancel')],
  [/^(?:brich|breche|brech) (.+?) ab$/, ref('cancel')],
  [/^(.+?) (?:abbrechen|stoppen|beenden|stornieren)$/, ref('cancel')],
  [/^(?:arrête|arrete|arrêtez|annule|annulez|stoppe|stoppez) (.+)$/, ref('cancel')],
  [/^(?:pause|hold|suspend) (.+)$/, ref('pause')],
  [/^put (.+?) on hold$/, ref('pause')],
  [/^pausiere? (.+)$/, ref('pause')],
  [/^halte? (.+?) an$/, ref('pause')],
  [/^(.+?) (?:pausieren|anhalten)$/, ref('pause')],
  [/^(?:mets|mettez) (.+?) en pause$/, ref('pause')],
  [/^mets en pause (.+)$/, ref('pause')],
  [/^(?:suspends|suspendez) (.+)$/, ref('pause')],
  [/^(?:resume|unpause|go on with|continue with) (.+)$/, ref('resume')],
  [/^setze? (.+?) fort$/, ref('resume')],
  [/^mache? mit (.+?) weiter$/, ref('resume')],
  [/^mache? weiter mit (.+)$/, ref('resume')],
  [/^(.+?) fortsetzen$/, ref('resume')],
  [/^(?:reprends|reprenez|continue) (.+)$/, ref('resume')],
  [/^what (?:did|has) (.+?) (?:find|found|find out|found out|say|come up with|learn|learned)(?: so far| yet)?$/, ref('result')],
  [/^(?:(?:show|give|tell) me )?(?:what is )?the results? of (.+)$/, ref('result')],
  [/^was hat (.+?) (?:herausgefunden|gefunden|ergeben|rausgefunden)$/, ref('result')],
  [/^(?:zeige? mir |gib mir )?das ergebnis (?:von|der|des) (.+)$/, ref('result')],
  [/^qu'a trouvé (.+)$/, ref('result')],
  [/^qu'est-ce que (.+?) a trouvé$/, ref('result')],
  [/^(?:montre-moi|donne-moi|montre|donne) le résultat (?:de la|de l'|du|de) ?(.+)$/, ref('result')],
  [/^how (?:is|are) (?:it|they|things|everything|everyone) (?:going|doing|coming along)$/, () => ({ act: 'status', ref: null })],
  [
    /^(?:status|any news|what are they doing|what is going on|what's going on|what's up|what's the status|what is the status)$/,
    () => ({ act: 'status', ref: null }),
  ],
  [/^how (?:is|are) (.+?) (?:going|doing|coming along|getting on)$/, status],
  [/^what is (.+?) doing(?: now| right now)?$/, status],
  [/^how far (?:along )?(?:is|are|has) (.+?)(?: got| gotten| come)?$/, status],
  [/^wie weit (?:ist|sind) (.+)$/, status],
  [/^(?:what is )?the status of (.+)$/, status],
  [
    /^(?:wie läuft es|wie läuft's|wie geht es voran|wie steht es|gibt es neuigkeiten|was gibt es neues)$/,
    () => ({ act: 'status', ref: null }),
  ],
  [/^(?:wie steht es (?:mit|um)|wie läuft|wie geht es mit) (.+)$/, status],
  [/^was macht (.+?)(?: gerade| jetzt)?$/, status],
  [/^(?:comment ça avance|où en sont-ils|où en est-on|des nouvelles|quoi de neuf)$/, () => ({ act: 'status', ref: null })],
  [/^où en est (.+)$/, status],
  [/^que fait (.+)$/, status],
  [/^(?:which|what) (?:models|backends)(?: (?:can you use|are there|do you have|do we have|are available))?$/, backends],
  [/^(?:list|show)(?: me)?(?: all| the)* (?:models|backends)$/, backends],
  [/^welche (?:modelle|backends)(?: (?:gibt es|hast du|haben wir|kannst du (?:nutzen|benutzen|verwenden)))?$/, backends],
  [/^quels (?:modèles|modeles|backends)(?: (?:y a-t-il|as-tu|sont disponibles|peux-tu utiliser))?$/, backends],
  [new RegExp(`^(?:swap|switch|move|change) (?:the model of )?(.+?) (?:to|onto) ${word}$`), swapTo],
  [new RegExp(`^(?:use|take) ${word} for (.+)$`), swapFor],
  [new RegExp(`^let ${word} do (.+)$`), swapFor],
  [new RegExp(`^(?:nimm|nutze|benutze|verwende) ${word} für (.+)$`), swapFor],
  [new RegExp(`^(?:utilise|prends) ${word} pour (.+)$`), swapFor],
];

/** The text of a correction keeps the operator's letters, so these are matched against the line as it is. */
const steers: readonly RegExp[] = [
  /^tell (?<ref>.+?)(?: to|,? that|:) (?<text>.+)$/is,
  /^ask (?<ref>.+?) to (?<text>.+)$/is,
  /^sage? (?<ref>.+?)(?:, | )(?:dass|er soll|sie soll|es soll) (?<text>.+)$/is,
  /^dis (?:à|au|aux) (?<ref>.+?) (?:de|d'|que|qu')\s?(?<text>.+)$/is,
];
/** `the translation should be formal`: the whole line is the correction. */
const wishes: readonly RegExp[] = [
  /^(?<ref>[^,.?]+?) (?:should|must|needs to|has to) .+$/is,
  /^(?<ref>[^,.?]+?) (?:soll|sollte|muss) .+$/is,
  /^(?<ref>[^,.?]+?) (?:doit|devrait) .+$/is,
];

const polite =
  /^(?:please|bitte|ok(?:ay)?|so|and|und|et|now|well|hey|s'il te plaît|stp|(?:can|could|would|will) you(?: please)?|kannst du(?: bitte)?|peux-tu)[, ]+/;
const trailing =
  /[, ]{1,20}(?:please|now|right now|at once|immediately|for now|bitte|jetzt|sofort|maintenant|tout de suite|s'il te plaît|stp|thanks|danke|merci|,? (?:it is|it's) (?:not needed|no longer needed)(?: any ?more)?)$/;

function bare(text: string): string {
  let now = plainText(text);
  for (let before = ''; before !== now; ) {
    before = now;
    now = now.replace(polite, '').replace(trailing, '').trim();
  }
  return now;
}

const joins =
  /\s{0,20};\s*|\s{0,20},\s*(?:and |und |et )?(?:then |dann |puis |ensuite )?|\s{1,20}(?:and|und|et)(?: then| dann| puis| ensuite| also| auch| aussi)?\s+|\s{1,20}(?:then|puis)\s+/i;

/** @returns the acts of the line, in order; null unless every part of it is one. */
export function actsIn(line: string): readonly Act[] | null {
  const steer = steerIn(line);
  if (steer) return [steer];
  const whole = actOf(line);
  if (whole && !joins.test(refOf(whole))) return [whole];
  const acts: Act[] = [];
  for (const part of line.trim().split(joins)) {
    if (part.trim() === '') continue;
    const act = actOf(part) ?? again(acts.at(-1), part);
    if (!act) return null;
    acts.push(act);
  }
  return acts.length > 0 ? acts : null;
}

const refOf = (act: Act): string => ('ref' in act && act.ref) || '';

function actOf(text: string): Act | null {
  const said = bare(text);
  for (const [pattern, make] of table) {
    const found = pattern.exec(said);
    if (found) return make(found);
  }
  return null;
}

/** `stop the first one and the third`: a part without a verb goes on with the verb before it. */
function again(before: Act | undefined, part: string): Act | null {
  if (!before || !('ref' in before) || before.act === 'steer' || before.act === 'swap' || before.ref === null) return null;
  const words = bare(part);
  const points = /^(?:the|der|die|das|den|le|la|les|l'|[a-z0-9]+\.\d)/.test(words) || pointerOf(words).ordinal !== null;
  return points && words.split(' ').length <= 4 ? { ...before, ref: words } : null;
}

function steerIn(line: string): Act | null {
  const said = line.trim().replace(/^(?:please|bitte)[, ]+/i, '');
  for (const pattern of steers) {
    const { ref: given, text } = pattern.exec(said)?.groups ?? {};
    if (given && text && given.split(' ').length <= 6 && !/^(?:me|us|mir|uns|moi|nous)\b/i.test(given))
      return { act: 'steer', ref: given, text };
  }
  for (const pattern of wishes) {
    const given = pattern.exec(said)?.groups?.ref;
    if (
      given &&
      given.split(' ').length <= 5 &&
      !/^(?:i|we|you|ich|wir|du|sie|je|nous|tu|vous|what|who|was|wer|que|qui)\b/i.test(given)
    )
      return { act: 'steer', ref: given, text: said };
  }
  return null;
}
