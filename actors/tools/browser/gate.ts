/**
 * The operator's rules for acts of a browser: before the call, what the operator is shown and whether they are asked; in the call,
 * that nothing is done that is denied, or that is not what they were shown (Q).
 */
import type { Page } from 'playwright-core';
import { Denied, Outdated, type ToolContext, type ToolPreview } from '../tool.ts';
import { mustNotBeClosed } from '../web/web-policy.ts';
import { concealedIn } from './concealed.ts';
import { type Consequence, type Control, inDeeds, printOf, type Ruling, rulingOn, valuesOf } from './consequence.ts';
import { announced } from './consequence-words.ts';
import { accepts } from './dialogs.ts';
import { stoppedLines } from './outbox.ts';
import { quotedLine, shortPageLine, shownUrl } from './page-words.ts';
import { originOf, type Site } from './site.ts';

export interface Intent {
  /** The same for the same call on the same page. */
  readonly key: string;
  /** `click on button "Send"`. */
  readonly words: string;
  /** Null where no control is touched, such as for a `goto`. */
  readonly control: Control | null;
  readonly consequences: readonly Consequence[];
  /** Further lines for the operator, such as the file that is given away. */
  readonly lines?: readonly string[];
  /** Fingerprint of what else the operator is shown. */
  readonly print?: string;
}

const baseOf = ({ control, print = '' }: Intent): string => `${control ? printOf(control) : ''}${print}`;

export const keyOf = (site: Site, tool: string, args: object): string =>
  JSON.stringify([tool, Object.entries(args).sort(), pathOf(site)]);

const pathOf = ({ page }: Site): string => page.url().split('#')[0]!;

/** The intent with what the same call was stopped from sending before. */
export function withKnown(site: Site, intent: Intent): Intent {
  const known = site.outbox.known(intent.key).map(({ url }) => url);
  if (known.length === 0) return intent;
  const isNew = (one: Consequence) => !intent.consequences.some(({ action, url }) => action === one.action && url === one.url);
  const more = known.flatMap((url): Consequence[] => [
    { action: 'submit', url },
    ...(site.mayVisit(url) ? [] : [{ action: 'leave', url } as const]),
  ]);
  return {
    ...intent,
    consequences: [...intent.consequences, ...more.filter(isNew)],
    print: `${intent.print ?? ''}${JSON.stringify(known)}`,
  };
}
/** The same for a call on the same element of the same page, whether it was named by its ref or by its words. */
export const dialogKey = (site: Site, { words }: Pick<Intent, 'words'>): string => JSON.stringify([words, pathOf(site)]);

/** The intent with what the page has asked on the same call before, and the answer that the agent wants to give. */
export function withAnswer(site: Site, intent: Intent, answer: string | undefined): Intent {
  const asked = site.dialogs.known(dialogKey(site, intent));
  if (answer === undefined || asked.length === 0) return intent;
  const url = intent.control?.form?.action ?? intent.control?.url ?? site.page.url();
  const said = accepts(answer) ? asked.flatMap(({ text }) => announced(text, Number.POSITIVE_INFINITY)) : [];
  const isNew = (action: Consequence['action']) => !intent.consequences.some((one) => one.action === action);
  return {
    ...intent,
    consequences: [...intent.consequences, ...[...new Set(said)].filter(isNew).map((action) => ({ action, url }))],
    lines: [
      ...(intent.lines ?? []),
      `It answers what the page asks then with ${JSON.stringify(shortPageLine(answer, 200))}:`,
      ...asked.map(({ text }) => quotedLine(shortPageLine(text, 300))),
    ],
    print: `${intent.print ?? ''}${JSON.stringify([answer, asked])}`,
  };
}

/** The base of a call about which nobody was asked. It runs as long as nobody has to be asked, whatever else the page changes. */
export const unasked = 'unasked';

/** @throws Error with the reason where the rules deny it. */
export async function previewOf(site: Site, intent: Intent, context: ToolContext): Promise<ToolPreview> {
  mustBeFilledIn(site, intent);
  const ruling = rulingOn(intent.consequences, site.policy);
  mustNotBeDenied(intent, ruling);
  if (ruling.verdict === 'allow') return { text: intent.words, base: unasked, ask: false };
  const left = ruling.by.filter(({ action }) => action === 'leave').map(({ url }) => new URL(url));
  for (const url of left) await mustNotBeClosed(url, site.policy);
  const values = intent.control ? valuesOf(intent.control) : [];
  const known = site.outbox.known(intent.key);
  const { secrets } = known.length > 0 ? await concealedIn(site.page) : { secrets: [] };
  return {
    text: [
      intent.control
        ? `The ${intent.words} ${inDeeds(ruling.by)}.`
        : `It opens ${left.map((url) => shownUrl(url.href, 2_000)).join()}`,
      ...left.flatMap((url) => unlisted(url, site)),
      ...(intent.lines ?? []),
      // The values come last: a list of questions shows the first lines.
      ...(intent.control ? [`On the page ${shownUrl(site.page.url())}`, ...(await pictureOf(site.page, context))] : []),
      ...stoppedLines(known, secrets),
      ...(values.length > 0 ? ['Values in the form (lines with | have text of the page):', ...values] : []),
    ].join('\n'),
    base: baseOf(intent),
    ask: true,
  };
}

function unlisted(url: URL, { policy }: Site): string[] {
  const origin = originOf(url.href);
  if (origin === null || policy.isListed(url)) return [];
  return [`${origin} is not in \`web.origins\` of the roster. Once allowed, the task works on its pages unasked.`];
}

/** @throws Outdated where it is not what the operator was shown. @throws Error where the rules deny it. */
export function mustBeAsShown(site: Site, intent: Intent, { base }: Pick<ToolContext, 'base'>): void {
  mustBeFilledIn(site, intent);
  const ruling = rulingOn(intent.consequences, site.policy);
  mustNotBeDenied(intent, ruling);
  if (base === undefined || (base === unasked ? ruling.verdict === 'allow' : base === baseOf(intent))) return;
  throw new Outdated(`the page has changed meanwhile, and the ${intent.words} was not made; look at the page and try again`);
}

/**
 * A form that was filled in before its page was opened again is empty. To ask the operator about it would be to ask about another
 * form than the agent means.
 */
function mustBeFilledIn(site: Site, { words, control }: Intent): void {
  if (!control?.form || !site.isAnew()) return;
  throw new Error(`the ${words} was not made, because what was typed in before is lost. Fill in the form again, then repeat it.`);
}

function mustNotBeDenied({ words }: Intent, { verdict, by }: Ruling): void {
  if (verdict === 'deny')
    throw new Denied(
      `the ${words} is denied by the operator's rules (roster, web): it ${inDeeds(by)}. Don't try it again; say so in your answer if the task needs it.`,
    );
}

/** A picture of what is on the screen, kept as an artifact. The question must not fail for want of one. */
export async function pictureOf(page: Page, { store }: ToolContext): Promise<string[]> {
  if (!store) return [];
  try {
    const bytes = await page.screenshot({ type: 'png', timeout: 5_000 });
    const { ref } = await store({ name: 'page.png', type: 'image/png', bytes });
    return [`Picture: cox artifacts get ${ref} -o page.png`];
  } catch {
    return ['(There is no picture of the page.)'];
  }
}
