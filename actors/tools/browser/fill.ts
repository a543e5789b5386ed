import type { FileChooser } from 'playwright-core';
import { z } from 'zod';
import type { Effects } from '../../../machines/conversation.ts';
import type { Change } from '../../../machines/effects.ts';
import { defineTool, type Tool, type ToolContext } from '../tool.ts';
import { acted, actMs, optionsIn, optionsOf } from './acted.ts';
import { type Control, controlAt } from './consequence.ts';
import { elementFor, type Found } from './element.ts';
import { type Intent, keyOf, mustBeAsShown, previewOf, unasked } from './gate.ts';
import { pageNow } from './page-now.ts';
import { shortPageLine, shownUrl } from './page-words.ts';
import type { Sent } from './settle.ts';
import { type BrowserTools, openSite, type Site } from './site.ts';
import { chooserName } from './task-page.ts';
import { uploadLines, uploadOf, uploadPrint } from './upload.ts';

const Field = z.string().min(1).max(300).describe('ref such as e5, or the label of the field');
interface Args {
  readonly target: string;
  readonly value?: string | undefined;
  readonly file?: string | undefined;
}

/**
 * Filling a field twice leaves what filling it once leaves. A file may be sent by the page as soon as it is chosen, so with a file
 * the call `writes`. So it does where pages may send forms unasked, since some send theirs as soon as a field changes.
 */
export const fillTool = (tools: BrowserTools): Tool =>
  defineTool<Args>({
    name: 'fill',
    description: 'Fill in one field of the open page; this replaces what is in it. It sends nothing.',
    args: z.object({
      target: Field,
      value: z.string().max(100_000).optional().describe('text; for a checkbox on or off'),
      file: z
        .string()
        .min(1)
        .max(1_024)
        .optional()
        .describe('for a file field: a path in the workspace, or the ref of an artifact'),
    }),
    effects: 'idempotent',
    effectsOf: ({ file }) => (file === undefined ? effectsOfFilling(tools) : 'writes'),
    decides: true,
    look: pageNow(tools),
    target: ({ target }) => shortPageLine(target, 100),
    preview: async (args, context) => {
      // Filling in a text gives nothing away, so nobody has to be asked.
      if (args.file === undefined) return { ...(await shownFill(tools, args, context)), base: unasked, ask: false };
      const site = await openSite(tools, context);
      return previewOf(site, (await filling(site, args, context)).intent, context);
    },
    run: async (args, context) => {
      const site = await openSite(tools, context);
      const { words, found, control, intent, upload, give } = await filling(site, args, context);
      mustBeAsShown(site, intent, context);
      const { value = '' } = args;
      site.outbox.typed(value);
      site.outbox.begin({ key: intent.key, kind: 'fill', let: intent.consequences });
      return acted(
        site,
        {
          ...{ words: intent.words, element: found, mayLast: upload !== null || effectsOfFilling(tools) === 'writes' },
          done: upload ? `Gave ${upload.name} to ${words}.` : `Filled in ${words}.`,
          changes: (sent) =>
            upload
              ? [{ target: `${upload.name} to ${shownUrl(site.page.url())}`, kind: 'uploaded' }]
              : [{ target: `${words} at ${shownUrl(site.page.url())}`, kind: 'filled' }, ...submittedBy(sent)],
          run: () => (give ? give() : put(found!, control, value)),
        },
        context.signal,
      );
    },
  });

/** For a roster that has every call asked about, and so that no password is shown while the call runs. */
async function shownFill(tools: BrowserTools, { target, value = '' }: Args, context: ToolContext) {
  const found = async () => {
    const { page } = await openSite(tools, context);
    const { words, locator } = await elementFor(page, target, 'field', context.signal);
    return { words, type: (await controlAt(locator, context.signal)).type };
  };
  // Where it cannot be filled in, the call says why.
  const { words, type } = await found().catch(() => ({ words: shortPageLine(target, 100), type: '' }));
  if (type === 'password') return { text: `It fills in ${words} with ••••••`, secret: true } as const;
  return { text: `It fills in ${words} with ${JSON.stringify(shortPageLine(value, 200))}` };
}

const effectsOfFilling = ({ policy }: BrowserTools): Effects => (policy().sendsUnasked ? 'writes' : 'idempotent');

/** A page may send its form as soon as a field has changed. */
const submittedBy = (sent: readonly Sent[]): Change[] =>
  sent.some(({ method }) => method !== 'GET')
    ? [{ target: shownUrl(sent.find(({ method }) => method !== 'GET')!.url, 500), kind: 'submitted' }]
    : [];

const textRoles = new Set(['textbox', 'searchbox', 'spinbutton']);

async function put({ locator, words, node }: Found, control: Control | null, value: string): Promise<void> {
  const { tag, type } = control ?? { tag: '', type: '' };
  if (type === 'checkbox' || type === 'radio' || node.role === 'switch' || node.role === 'checkbox') {
    const isOn = !/^(?:off|false|no|0|unchecked|)$/i.test(value.trim());
    if (type === 'radio' && !isOn) throw new Error(`${words} is switched off by choosing another one`);
    return locator.setChecked(isOn, { timeout: actMs });
  }
  if (tag === 'select') return choose({ locator, words, node }, value);
  if (tag === 'input' && type === 'range') {
    await locator.fill(value, { timeout: actMs });
    return;
  }
  await locator.fill(value, { timeout: actMs });
}

async function filling(site: Site, { target, value, file }: Args, context: ToolContext) {
  const key = keyOf(site, 'fill', { target });
  const chosen = file !== undefined && target.trim().toLowerCase() === chooserName ? chooserOf(site) : null;
  const found = chosen ? null : await elementFor(site.page, target, 'field', context.signal);
  const words = found?.words ?? `the ${chooserName}`;
  // A field for text needs no second look; of files, lists and boxes the page says what they are.
  const isText = file === undefined && found !== null && textRoles.has(found.node.role);
  const control = isText ? null : await controlAt(found?.locator ?? chosen!.element(), context.signal);
  const isFileField = control?.tag === 'input' && control.type === 'file';
  const path = file ?? (isFileField ? null : undefined);
  if (path === null)
    throw new Error(`${words} takes a file: give \`file\`, the path of a file of the workspace or the ref of an artifact`);
  if (path === undefined) {
    if (value === undefined) throw new Error('give the value to fill in');
    const intent: Intent = { key, words: `fill of ${words}`, control: null, consequences: [] };
    return { words, found, control, upload: null, intent, give: null };
  }
  if (!control || !isFileField)
    throw new Error(
      `${words} takes no file. Where it opens a choice of files, click it first; then fill with target "${chooserName}"`,
    );
  const upload = await uploadOf(path, context);
  const intent: Intent = {
    ...{ key, words: `fill of ${words}`, control },
    consequences: [{ action: 'upload', url: control.form?.action ?? control.url }],
    lines: uploadLines(upload),
    print: uploadPrint(upload),
  };
  const { name, mimeType, buffer } = upload;
  const given = { name, mimeType, buffer };
  const give = () =>
    found ? found.locator.setInputFiles(given, { timeout: actMs }) : chosen!.setFiles(given, { timeout: actMs });
  return { words, found, control, upload, intent, give };
}

/** @throws Error for the model if the page asks for no file now. */
function chooserOf(site: Site): FileChooser {
  const chooser = site.fileChooser();
  if (chooser === null) throw new Error('the page asks for no file now; click what opens the choice of files first');
  return chooser;
}

export const selectTool = (tools: BrowserTools): Tool =>
  defineTool<{ target: string; option: string }>({
    name: 'select',
    description: 'Choose an option of a list field of the open page.',
    args: z.object({ target: Field, option: z.string().min(1).max(1_000).describe('its words') }),
    effects: 'idempotent',
    effectsOf: () => effectsOfFilling(tools),
    look: pageNow(tools),
    target: ({ target }) => shortPageLine(target, 100),
    run: async ({ target, option }, context) => {
      const site = await openSite(tools, context);
      const found = await elementFor(site.page, target, 'field', context.signal);
      site.outbox.typed(option);
      site.outbox.begin({ key: keyOf(site, 'select', { target }), kind: 'fill', let: [] });
      return acted(
        site,
        {
          ...{
            words: `choice of ${JSON.stringify(shortPageLine(option, 80))} in ${found.words}`,
            element: found,
            mayLast: effectsOfFilling(tools) === 'writes',
          },
          done: `Chose ${JSON.stringify(shortPageLine(option, 80))} in ${found.words}.`,
          changes: (sent) => [{ target: `${found.words} at ${shownUrl(site.page.url())}`, kind: 'filled' }, ...submittedBy(sent)],
          run: () => choose(found, option),
        },
        context.signal,
      );
    },
  });

/** Chooses by the words of the option, whatever their case, else by its value. */
async function choose(found: Found, asked: string): Promise<void> {
  const { locator, words } = found;
  const options = await optionsIn(found);
  if (options.length === 0) throw new Error(`${words} is no list of options; click it, and then the option`);
  const plain = (text: string) => text.replaceAll(/\s+/g, ' ').trim().toLocaleLowerCase();
  const by = (fits: (option: { label: string; value: string }) => boolean) => options.findIndex(fits);
  const places = [
    by(({ label }) => plain(label) === plain(asked)),
    by(({ value }) => value === asked),
    by(({ label }) => plain(label).includes(plain(asked))),
  ];
  const index = places.find((place) => place >= 0);
  if (index === undefined)
    throw new Error(`${words} has no option ${JSON.stringify(shortPageLine(asked, 80))}. ${await optionsOf(found)}`);
  await locator.selectOption({ index }, { timeout: actMs });
}
