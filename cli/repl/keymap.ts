/** Which key does what at the prompt: the keys of readline as far as they make sense here. */
import type { Key } from 'node:readline';
import type { Edit } from './editor.ts';

export type Action =
  | Edit
  | 'enter'
  | 'newline'
  | 'up'
  | 'down'
  | 'previous'
  | 'next'
  | 'complete'
  | 'search'
  | 'abort'
  | 'interrupt'
  | 'end-of-input'
  | 'suspend'
  | 'clear-screen'
  | 'escape'
  | 'prefix'
  | 'open-editor';

const plainKeys: Readonly<Record<string, Action>> = {
  return: 'enter',
  // A line feed is Ctrl-J; Enter sends a carriage return.
  enter: 'newline',
  tab: 'complete',
  up: 'up',
  down: 'down',
  left: 'left',
  right: 'right',
  home: 'row-start',
  end: 'row-end',
  backspace: 'delete-back',
  delete: 'delete-forward',
  escape: 'escape',
};

const ctrlKeys: Readonly<Record<string, Action>> = {
  a: 'row-start',
  b: 'left',
  c: 'interrupt',
  d: 'end-of-input',
  e: 'row-end',
  f: 'right',
  g: 'abort',
  h: 'delete-back',
  k: 'kill-to-end',
  l: 'clear-screen',
  n: 'next',
  p: 'previous',
  r: 'search',
  u: 'kill-to-start',
  w: 'kill-word-back',
  x: 'prefix',
  y: 'yank',
  z: 'suspend',
  left: 'word-left',
  right: 'word-right',
  backspace: 'kill-word-back',
  delete: 'kill-word-forward',
};

const metaKeys: Readonly<Record<string, Action>> = {
  return: 'newline',
  enter: 'newline',
  b: 'word-left',
  f: 'word-right',
  d: 'kill-word-forward',
  left: 'word-left',
  right: 'word-right',
  backspace: 'kill-word-back',
  delete: 'kill-word-forward',
};

/** Null for a key that types its letter or does nothing. */
export function actionOf({ name = '', ctrl, meta, sequence }: Key): Action | null {
  // Ctrl-_ undoes; it has no name.
  if (sequence === '\u001f') return 'undo';
  if (name === 'escape') return 'escape';
  if (ctrl) return ctrlKeys[name] ?? null;
  return (meta ? metaKeys[name] : plainKeys[name]) ?? null;
}

/** What Ctrl-X and a second key do. */
export const actionAfterPrefix = (key: Key): Action | null => (key.ctrl && key.name === 'e' ? 'open-editor' : actionOf(key));
