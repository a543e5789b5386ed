/**
 * Reads the accessibility tree that playwright-core writes as YAML (`ariaSnapshot({ mode: 'ai' })`). Each line is looked at once,
 * so the time grows with the length only.
 */

export interface AriaNode {
  /** `button`, `link`, …; `text` for bare text. */
  readonly role: string;
  readonly name: string;
  /** By this word the element can be found again (`aria-ref=e5`); null for elements that take no clicks. */
  readonly ref: string | null;
  /** The words in brackets beside the ref: `checked`, `level=1`, `disabled`. */
  readonly states: readonly string[];
  /** The value of a field, or the text of an element without children. */
  readonly text: string;
  readonly url: string | null;
  readonly children: readonly AriaNode[];
}

type Growing = { -readonly [Key in keyof Omit<AriaNode, 'children'>]: AriaNode[Key] } & { children: Growing[] };

export function parseAria(yaml: string): AriaNode[] {
  const roots: Growing[] = [];
  const open: { readonly indent: number; readonly node: Growing }[] = [];
  for (const line of yaml.split('\n')) {
    const indent = line.length - line.trimStart().length;
    if (!line.startsWith('- ', indent)) continue;
    while (open.length > 0 && open.at(-1)!.indent >= indent) open.pop();
    const above = open.at(-1)?.node;
    const { key, value } = keyAndValue(line.slice(indent + 2));
    if (key.startsWith('/')) {
      if (key === '/url' && above) above.url = value;
      continue;
    }
    const node = nodeOf(key, value);
    (above ? above.children : roots).push(node);
    open.push({ indent, node });
  }
  return roots;
}

/** `'button "a: b" [ref=e1]': text` has its key in quotes, because the key has a colon. */
function keyAndValue(entry: string): { key: string; value: string } {
  if (entry.startsWith("'")) {
    let end = 1;
    while (end < entry.length && (entry[end] !== "'" || entry[end + 1] === "'")) end += entry[end] === "'" ? 2 : 1;
    return { key: entry.slice(1, end).replaceAll("''", "'"), value: scalar(entry.slice(end + 2)) };
  }
  let isQuoted = false;
  for (let at = 0; at < entry.length; at++) {
    if (isQuoted && entry[at] === '\\') at++;
    else if (entry[at] === '"') isQuoted = !isQuoted;
    else if (entry[at] === ':' && !isQuoted) return { key: entry.slice(0, at), value: scalar(entry.slice(at + 1)) };
  }
  return { key: entry, value: '' };
}

function scalar(written: string): string {
  const text = written.trim();
  if (text.startsWith('"') && text.endsWith('"') && text.length > 1) return unquoted(text);
  return text.startsWith("'") && text.endsWith("'") && text.length > 1 ? text.slice(1, -1).replaceAll("''", "'") : text;
}

/** The YAML of playwright-core has escapes beside those of JSON, such as `\x1b`. */
function unquoted(text: string): string {
  try {
    return JSON.parse(text.replaceAll(/\\x([0-9a-fA-F]{2})/g, '\\u00$1'));
  } catch {
    return text.slice(1, -1);
  }
}

function nodeOf(key: string, value: string): Growing {
  const role = /^[^ ]*/.exec(key)![0];
  let rest = key.slice(role.length).trim();
  let name = '';
  if (rest.startsWith('"')) {
    let end = 1;
    while (end < rest.length && rest[end] !== '"') end += rest[end] === '\\' ? 2 : 1;
    name = unquoted(rest.slice(0, end + 1));
    rest = rest.slice(end + 1);
  }
  const states = rest
    .split(']')
    .map((state) => state.trim().replace(/^\[/, ''))
    .filter((state) => state !== '');
  const ref = states.find((state) => state.startsWith('ref='))?.slice(4) ?? null;
  return {
    ...{ role, name, ref, text: value, url: null },
    states: states.filter((state) => !state.startsWith('ref=')),
    children: [],
  };
}

export function* everyNode(nodes: readonly AriaNode[]): Generator<AriaNode> {
  for (const node of nodes) {
    yield node;
    yield* everyNode(node.children);
  }
}

const actingRoles = new Set(
  'button link textbox searchbox combobox listbox checkbox radio switch slider spinbutton tab menuitem menuitemcheckbox menuitemradio option treeitem'.split(
    ' ',
  ),
);
/** Whether a person could click it or type into it. */
export const isActive = ({ role, ref, states, name }: AriaNode): boolean =>
  ref !== null &&
  (actingRoles.has(role) || (states.includes('cursor=pointer') && role !== 'text') || (role === 'generic' && name !== ''));
