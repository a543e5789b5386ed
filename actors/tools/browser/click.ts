import type { Frame, Locator, Page } from 'playwright-core';
import { z } from 'zod';
import type { Change } from '../../../machines/effects.ts';
import { defineTool, type Tool, type ToolContext } from '../tool.ts';
import { acted, actMs } from './acted.ts';
import { type Control, consequencesOf, controlAt, type Deed, whyUnsent } from './consequence.ts';
import { elementFor, type Found } from './element.ts';
import { dialogKey, type Intent, keyOf, mustBeAsShown, previewOf, withAnswer, withKnown } from './gate.ts';
import { pageNow } from './page-now.ts';
import { shortPageLine, shownUrl } from './page-words.ts';
import type { Sent } from './settle.ts';
import { type BrowserTools, openSite, type Site } from './site.ts';

const Target = z.string().min(1).max(300).describe('ref such as e5, or the words on it');
const Answer = z
  .string()
  .min(1)
  .max(2_000)
  .optional()
  .describe('answer to the question that the page showed on this call before: accept, dismiss, or the text it asks for');
interface ClickArgs {
  readonly target: string;
  readonly dialog?: string | undefined;
}
interface PressArgs {
  readonly key: string;
  readonly target?: string | undefined;
  readonly dialog?: string | undefined;
}

/** A click may send a form or do anything else that the page wants, so it is never repeated unasked. */
export const clickTool = (tools: BrowserTools): Tool =>
  defineTool<ClickArgs>({
    name: 'click',
    description: 'Click a button, link or other element of the open page. Returns what has changed.',
    args: z.object({ target: Target, dialog: Answer }),
    effects: 'writes',
    decides: true,
    look: pageNow(tools),
    target: ({ target }) => shortPageLine(target, 100),
    preview: async (args, context) => {
      const site = await openSite(tools, context);
      return previewOf(site, (await clickOn(site, args, context)).intent, context);
    },
    run: async (args, context) => {
      const site = await openSite(tools, context);
      const { found, control, intent } = await clickOn(site, args, context);
      mustBeAsShown(site, intent, context);
      begin(site, intent, args.dialog);
      return acted(
        site,
        {
          ...{
            words: intent.words,
            done: [`Clicked ${found.words}.`, ...whyUnsent(control)].join('\n'),
            element: found,
            mayLast: true,
            sends: sends(intent),
          },
          changes: (sent) => changesOf(control, found, sent, 'clicked'),
          run: () => found.locator.click({ timeout: actMs }),
        },
        context.signal,
      );
    },
  });

async function clickOn(site: Site, { target, dialog }: ClickArgs, { signal }: ToolContext) {
  const found = await elementFor(site.page, target, 'any', signal);
  const control = await controlAt(found.locator, signal);
  const consequences = consequencesOf(control, { kind: 'click' }, site.mayVisit);
  const intent = {
    key: keyOf(site, 'click', { target }),
    words: `click on ${found.words}`,
    control,
    consequences,
    lines: whyUnsent(control),
  };
  return { found, control, intent: withAnswer(site, withKnown(site, intent), dialog) };
}

/** From now on what the page sends and asks is of this call. */
function begin(site: Site, intent: Intent, dialog: string | undefined): void {
  enterAll(site, intent);
  if (dialog !== undefined) site.outbox.typed(dialog);
  site.dialogs.begin(dialogKey(site, intent), dialog ?? null);
  site.outbox.begin({ key: intent.key, kind: 'touch', let: intent.consequences });
}

export const pressTool = (tools: BrowserTools): Tool =>
  defineTool<PressArgs>({
    name: 'press',
    description: 'Press a key, such as Enter, Tab, Escape, ArrowDown or Control+A, in an element or in the open page.',
    args: z.object({ key: z.string().min(1).max(40), target: Target.optional(), dialog: Answer }),
    effects: 'writes',
    decides: true,
    look: pageNow(tools),
    target: ({ key, target }) => shortPageLine(target ? `${key} in ${target}` : key, 100),
    preview: async (args, context) => {
      const site = await openSite(tools, context);
      return previewOf(site, (await pressOn(site, args, context)).intent, context);
    },
    run: async (args, context) => {
      const site = await openSite(tools, context);
      const { found, control, intent } = await pressOn(site, args, context);
      mustBeAsShown(site, intent, context);
      begin(site, intent, args.dialog);
      const where = found ? ` in ${found.words}` : '';
      return acted(
        site,
        {
          ...{ words: intent.words, done: `Pressed ${args.key}${where}.`, element: found, mayLast: true, sends: sends(intent) },
          changes: (sent) => changesOf(control, found, sent, 'pressed', args.key),
          run: () => (found ? found.locator.press(args.key, { timeout: actMs }) : site.page.keyboard.press(args.key)),
        },
        context.signal,
      );
    },
  });

async function pressOn(site: Site, { key, target, dialog }: PressArgs, { signal }: ToolContext) {
  const found = target === undefined ? null : await elementFor(site.page, target, 'field', signal);
  const deed: Deed = { kind: 'press', key };
  // Without a target the key goes to the element that has the focus.
  const control = await controlAt(found?.locator ?? (await focusIn(site.page)), signal);
  const consequences = consequencesOf(control, deed, site.mayVisit);
  const words = `press of ${key}${found ? ` in ${found.words}` : ''}`;
  const sentBy = keyOf(site, 'press', { key, target });
  const intent = withKnown(site, { key: sentBy, words, control, consequences });
  return { found, control, intent: withAnswer(site, intent, dialog) };
}

/** The element that keys go to, in whatever frame it is. */
async function focusIn(page: Page): Promise<Locator> {
  let frame: Frame = page.mainFrame();
  for (;;) {
    const inner: Frame | null = await frameInFocus(frame);
    if (inner === null) return frame.locator('*:focus, body').last();
    frame = inner;
  }
}

// The compiler of this house knows no documents, since only the functions that run in a page have one.
// biome-ignore lint/suspicious/noExplicitAny: see above.
type InPage = any;
const hasFocus = (element: InPage): boolean => {
  // A document hides its functions behind the names of its forms and pictures.
  const { Node, Document, ShadowRoot } = globalThis as InPage;
  const root = Node.prototype.getRootNode.call(element);
  const of = (root instanceof Document ? Document : ShadowRoot).prototype;
  return Object.getOwnPropertyDescriptor(of, 'activeElement')!.get!.call(root) === element;
};

async function frameInFocus(frame: Frame): Promise<Frame | null> {
  for (const child of frame.childFrames()) {
    const holder = await child.frameElement();
    if (await holder.evaluate(hasFocus)) return child;
  }
  return null;
}

/** Forms, orders and deletions are sent; a link loads by itself. */
const sends = ({ consequences }: Intent): boolean => consequences.some(({ action }) => action !== 'leave');

/** An act that the operator or the rules have let through may also go to where it leads. */
function enterAll(site: Site, { consequences }: Intent): void {
  for (const { action, url } of consequences) if (action === 'leave') site.enter(url);
}

/** A form counts as sent where something was sent; what was sent is known from the requests, never from the page. */
function changesOf(
  control: Control,
  found: Found | null,
  sent: readonly Sent[],
  kind: 'clicked' | 'pressed',
  key?: string,
): Change[] {
  const submission =
    sent.find(({ method }) => method !== 'GET') ?? (control.form && sent.find(({ isNavigation }) => isNavigation));
  const leads = sent.find(({ isNavigation }) => isNavigation);
  if (submission && (control.form || submission.method !== 'GET'))
    return [{ target: shownUrl(submission.url, 500), kind: 'submitted' }];
  const target = key ? `${key}${found ? ` in ${found.words}` : ''}` : (found?.words ?? '');
  return [{ target: `${target} at ${shownUrl(leads?.url ?? control.url, 300)}`, kind }];
}
