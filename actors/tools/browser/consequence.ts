/**
 * The acts that a click, a key or a file may set off: sending a form, buying, deleting, uploading, leaving for another origin.
 * Code looks at the control and its form, and at the words on it. It is a help for the operator's rules and no guarantee, because
 * the scripts of a page can make any click do anything.
 */
import { createHash } from 'node:crypto';
import type { ElementHandle, Locator } from 'playwright-core';
import { z } from 'zod';
import { beginningOf } from '../../../platform/cut.ts';
import type { Verdict, WebAction, WebPolicy } from '../web/web-policy.ts';
import { announced } from './consequence-words.ts';
import { inOnePageLine, shortPageLine, shownUrl } from './page-words.ts';
import { withinMs } from './within.ts';

/** A control as the page describes it. A page can change the functions that it is asked with, so it is checked. */
const Control = z.object({
  tag: z.string(),
  type: z.string(),
  label: z.string(),
  href: z.string().describe('Absolute address of a link; empty for everything else.'),
  submits: z.boolean().describe('Whether a click on it sends its form.'),
  form: z
    .object({
      action: z.string(),
      method: z.string(),
      fields: z.array(z.object({ label: z.string(), type: z.string(), value: z.string() })),
      invalid: z
        .array(z.object({ label: z.string(), why: z.string() }))
        .describe('Fields for which the browser does not send the form.'),
    })
    .nullable(),
  url: z.string(),
});
export type Control = z.infer<typeof Control>;

export type Deed = { readonly kind: 'click' } | { readonly kind: 'press'; readonly key: string };

export interface Consequence {
  readonly action: WebAction;
  /** The address that it concerns: that of the form, of the link, or of the page. */
  readonly url: string;
}

const lookMs = 5_000;

export async function controlAt(element: Pick<Locator, 'evaluate'> | ElementHandle, signal: AbortSignal): Promise<Control> {
  const told = withinMs(lookMs, (element as Locator).evaluate(look), signal).catch((cause: unknown) => {
    // The code of the page has broken the question.
    if (/evaluate: \w*Error: /.test(String(cause))) return null;
    throw cause;
  });
  const { success, data } = Control.safeParse(await told);
  if (!success) throw new Error('the page does not say what this element is; choose another one');
  return data;
}

/** @param mayVisit whether the task may be at the address without being asked. */
export function consequencesOf(control: Control, deed: Deed, mayVisit: (url: string) => boolean): Consequence[] {
  const { form, url, label, href } = control;
  const isFieldWithEnter =
    deed.kind === 'press' && /^(?:\w+\+)?(?:Enter|NumpadEnter)$/.test(deed.key) && control.tag !== 'textarea';
  const isPressed = deed.kind === 'press' && (isFieldWithEnter || /^(?:Space| )$/.test(deed.key));
  const isButton = control.tag !== 'input' || /^(?:submit|image|button|reset)$/.test(control.type);
  const sends = deed.kind === 'click' ? control.submits : isPressed && (control.submits || (isFieldWithEnter && form !== null));
  const to = sends && form ? form.action : url;
  const said = (deed.kind === 'click' || isPressed) && isButton ? announced(label) : [];
  const actions = new Set<WebAction>([
    ...(sends ? (['submit'] as const) : []),
    ...(href ? said.filter((it) => it !== 'submit') : said),
  ]);
  const found = [...actions].map((action): Consequence => ({ action, url: to }));
  const target = sends && form ? form.action : (deed.kind === 'click' || isPressed) && href;
  if (target && !mayVisit(target)) found.push({ action: 'leave', url: target });
  return found;
}

export interface Ruling {
  readonly verdict: Verdict;
  readonly by: readonly Consequence[];
}
const ranks: readonly Verdict[] = ['allow', 'ask', 'deny'];

/** The strictest verdict on all of it, and what it is about. */
export function rulingOn(consequences: readonly Consequence[], policy: WebPolicy): Ruling {
  const judged = consequences.map((one) => ({ one, verdict: verdictOn(one, policy) }));
  const verdict = ranks[Math.max(0, ...judged.map((it) => ranks.indexOf(it.verdict)))]!;
  return { verdict, by: judged.filter((it) => it.verdict === verdict && verdict !== 'allow').map(({ one }) => one) };
}

function verdictOn({ action, url }: Consequence, policy: WebPolicy): Verdict {
  try {
    return policy.verdict(action, new URL(url));
  } catch {
    return 'deny';
  }
}

/**
 * Fingerprint of the control with its form as they are now. It has no part of a password but whether there is one, since what a
 * hash stands for can be guessed.
 */
export const printOf = ({ url, form, ...control }: Control): string => {
  const fields = form?.fields.map((field) => (field.type === 'password' ? { ...field, value: field.value !== '' } : field));
  return createHash('sha256')
    .update(JSON.stringify([url.split('#')[0], control, form && { ...form, fields }]))
    .digest('hex');
};

const deeds: Record<WebAction, string> = {
  leave: 'goes to',
  submit: 'sends a form to',
  buy: 'may buy something at',
  delete: 'may delete something at',
  upload: 'gives a file to',
};
export const inDeeds = (consequences: readonly Consequence[]): string =>
  consequences.map(({ action, url }) => `${deeds[action]} ${shownUrl(url)}`).join(', and ');

const maxValueChars = 200;
const maxFields = 30;

/** The values that a form would send, for the operator; passwords are masked. */
export function valuesOf({ form }: Control): string[] {
  if (!form) return [];
  const shown = form.fields.slice(0, maxFields).map(({ label, type, value }) => {
    const name = shortPageLine(label || type, 80);
    if (type === 'password') return `| ${name}: ${value === '' ? '(empty)' : '••••••'}`;
    return `| ${name}: ${value === '' ? '(empty)' : valueInWords(value)}${type === 'hidden' ? ' (hidden field)' : ''}`;
  });
  const more = form.fields.length - shown.length;
  return [...shown, ...(more > 0 ? [`(and ${more} more fields)`] : [])];
}

/** Why the browser does not send the form on a click on this control, in lines; none if it does, or if the click sends nothing. */
export function whyUnsent({ submits, form }: Control): string[] {
  if (!submits || !form || form.invalid.length === 0) return [];
  const fields = form.invalid.map(({ label, why }) => `| ${shortPageLine(label, 80)}: ${shortPageLine(why, 200)}`);
  return ['The browser does not send the form as long as a field is not right:', ...fields];
}

const valueInWords = (value: string): string => {
  const line = inOnePageLine(value);
  return line.length > maxValueChars ? `${beginningOf(line, maxValueChars)} … (${line.length} characters)` : line;
};

// The compiler of this house knows no documents, since only the functions that run in a page have one.
// biome-ignore lint/suspicious/noExplicitAny: see above.
type InPage = any;
declare const document: InPage;
declare const location: InPage;

/** Runs in the page, on the element. The form's own fields may hide its methods, so those of its class are called. */
const look = (element: InPage): Control => {
  const root = globalThis as InPage;
  const attribute = (of: InPage, name: string): string => (root.Element.prototype.getAttribute.call(of, name) ?? '').trim();
  const has = (of: InPage, name: string): boolean => root.Element.prototype.hasAttribute.call(of, name);
  const fieldsOf = (of: InPage): InPage[] => [
    ...Object.getOwnPropertyDescriptor(root.HTMLFormElement.prototype, 'elements')!.get!.call(of),
  ];
  const controls = 'button, input, a[href], area[href], summary, select, textarea, [role=button], [role=link], [role=menuitem]';
  const closest = (selector: string): InPage => root.Element.prototype.closest.call(element, selector);
  const baseUri = Object.getOwnPropertyDescriptor(root.Node.prototype, 'baseURI')!.get!;
  const it = closest(controls) ?? closest('label')?.control ?? element;
  const tag = String(Object.getOwnPropertyDescriptor(root.Element.prototype, 'localName')!.get!.call(it)).toLowerCase();
  const type = String(it.type ?? '').toLowerCase();
  const form = it.form ?? closest('form');
  const isImage = tag === 'input' && type === 'image';
  const isSubmit = type === 'submit' || isImage;
  const isTyped = tag === 'input' && !/^(?:submit|button|reset|image)$/.test(type);
  const absolute = (address: string): string => {
    try {
      return new URL(address, baseUri.call(document)).href;
    } catch {
      return address;
    }
  };
  // biome-ignore lint/performance/useDomNodeTextContent: the operator reads what is on the screen.
  const textIn = (of: InPage): string => of.innerText ?? '';
  const labelOf = (field: InPage): string =>
    [...(field.labels ?? [])].map(textIn).join(' ') ||
    attribute(field, 'aria-label') ||
    attribute(field, 'placeholder') ||
    String(field.name || field.id);
  const sentBy = (field: InPage): string => {
    if (field.type === 'checkbox' || field.type === 'radio') return field.checked ? `${field.value} (checked)` : '';
    if (field.type === 'file') return [...field.files].map((file) => `${file.name} (${file.size} bytes)`).join(', ');
    if (field.tagName === 'SELECT') return [...field.selectedOptions].map((option) => option.text).join(', ');
    return String(field.value ?? '');
  };
  const isSent = (field: InPage): boolean =>
    /^(?:INPUT|SELECT|TEXTAREA)$/.test(field.tagName) &&
    !/^(?:submit|image|button|reset)$/.test(field.type) &&
    !field.disabled &&
    (field.type !== 'radio' || field.checked);
  const isChecked = form !== null && !has(form, 'novalidate') && !(isSubmit && has(it, 'formnovalidate'));
  const words = [
    textIn(it),
    attribute(it, 'aria-label'),
    attribute(it, 'title'),
    attribute(it, 'alt'),
    tag === 'input' && !isTyped ? it.value : '',
  ];
  return {
    ...{ tag, type },
    label: words.filter(Boolean).join(' ').slice(0, 300),
    href: typeof it.href === 'string' && /^https?:/.test(it.href) ? it.href : '',
    submits: isSubmit && form !== null,
    form: form && {
      action: absolute((isSubmit && attribute(it, 'formaction')) || attribute(form, 'action') || location.href),
      method: ((isSubmit && attribute(it, 'formmethod')) || attribute(form, 'method') || 'get').toLowerCase(),
      fields: fieldsOf(form)
        .filter(isSent)
        .slice(0, 200)
        .map((field) => ({ label: labelOf(field), type: String(field.type), value: sentBy(field) })),
      invalid: fieldsOf(form)
        .filter((field) => isChecked && field.willValidate && !field.validity.valid)
        .slice(0, 10)
        .map((field) => ({ label: labelOf(field), why: String(field.validationMessage) })),
    },
    url: location.href,
  };
};
