/**
 * The prompt's line: what each key and each paste makes of the half-typed text, with history, search and completion. It draws
 * nothing; the screen asks it what to show and does what it returns.
 */
import type { Key } from 'node:readline';
import { graphemes } from '../render/width.ts';
import type { Completion } from './complete.ts';
import {
  type Draft,
  type Edit,
  type Editor,
  edited,
  emptyEditor,
  insert,
  movedRow,
  paste,
  replaced,
  replacedBack,
  textOf,
} from './editor.ts';
import { HistoryWalk, type Search, searched } from './history-walk.ts';
import { type Action, actionAfterPrefix, actionOf } from './keymap.ts';

/** What is left to the screen after a key. */
export type Effect =
  | { readonly kind: 'submit'; readonly draft: Draft }
  | { readonly kind: 'candidates'; readonly candidates: readonly string[] }
  | { readonly kind: 'interrupt' | 'end-of-input' | 'suspend' | 'clear-screen' | 'escape' | 'open-editor' };

export interface PromptLineOptions {
  readonly prompt: string;
  /** Newest first. */
  readonly history: () => readonly string[];
  readonly complete: (line: string) => Completion;
}

export class PromptLine {
  readonly #options: PromptLineOptions;
  readonly #walk: HistoryWalk;
  #editor: Editor = emptyEditor;
  #search: Search | null = null;
  /** Whether the last key was Ctrl-X, which the next key completes. */
  #hasPrefix = false;

  constructor(options: PromptLineOptions) {
    this.#options = options;
    this.#walk = new HistoryWalk(options.history);
  }

  /** The half-typed text. */
  get text(): string {
    return textOf(this.#editor.cells);
  }

  get isEmpty(): boolean {
    return this.#editor.cells.length === 0;
  }

  get shown(): { readonly prompt: string; readonly draft: Draft } {
    if (!this.#search) return { prompt: this.#options.prompt, draft: this.#editor };
    const { query, at } = this.#search;
    const prompt = `(search) ${query}${query !== '' && at < 0 ? ' (not found)' : ''}: `;
    return { prompt, draft: at < 0 ? this.#editor : replaced(emptyEditor, this.#found) };
  }

  /** Takes the text away, for a new one. */
  clear(): void {
    this.#editor = { ...emptyEditor, killed: this.#editor.killed };
    this.#search = null;
    this.#walk.end();
  }

  /** Puts a text in place of the half-typed one. */
  set(text: string): void {
    this.#search = null;
    this.#walk.end();
    this.#editor = replaced(this.#editor, text);
  }

  paste(text: string): void {
    this.#accept();
    this.#change(paste(this.#editor, text));
  }

  press(letter: string | undefined, key: Key): Effect | null {
    const action = this.#hasPrefix ? actionAfterPrefix(key) : actionOf(key);
    this.#hasPrefix = false;
    const isTyped = action === null && letter !== undefined && !/\p{Cc}/u.test(letter) && !key.ctrl && !key.meta;
    if (this.#search && this.#pressInSearch(isTyped ? letter : null, action)) return null;
    if (isTyped) this.#change(insert(this.#editor, letter));
    return action === null ? null : this.#act(action);
  }

  #act(action: Action): Effect | null {
    switch (action) {
      case 'enter':
        return this.#enter();
      case 'newline':
        this.#change(insert(this.#editor, '\n'));
        return null;
      case 'up':
        this.#move(movedRow(this.#editor, -1), () => this.#walk.older(this.text));
        return null;
      case 'down':
        this.#move(movedRow(this.#editor, 1), () => this.#walk.newer());
        return null;
      case 'previous':
        this.#move(null, () => this.#walk.older(this.text));
        return null;
      case 'next':
        this.#move(null, () => this.#walk.newer());
        return null;
      case 'search':
        this.#search = { query: '', at: -1 };
        return null;
      case 'complete':
        return this.#complete();
      case 'prefix':
        this.#hasPrefix = true;
        return null;
      case 'abort':
        return null;
      case 'end-of-input':
        if (this.isEmpty) return { kind: action };
        this.#change(edited(this.#editor, 'delete-forward'));
        return null;
      case 'interrupt':
      case 'suspend':
      case 'clear-screen':
      case 'escape':
      case 'open-editor':
        return { kind: action };
      default:
        this.#edit(action);
        return null;
    }
  }

  #edit(edit: Edit): void {
    const after = edited(this.#editor, edit);
    if (after.cells === this.#editor.cells) this.#editor = after;
    else this.#change(after);
  }

  #change(editor: Editor): void {
    this.#walk.end();
    this.#editor = editor;
  }

  /** Sends the text, or goes on with a new line where the text says that it is not complete. */
  #enter(): Effect | null {
    const { cells, cursor } = this.#editor;
    const atEnd = cursor === cells.length;
    if (atEnd && /(?:^|[^\\])(?:\\\\)*\\$/.test(this.text)) this.#change(replacedBack(this.#editor, 1, '\n'));
    else if (isOpen(this.text)) this.#change(insert(this.#editor, '\n'));
    else {
      this.clear();
      return { kind: 'submit', draft: { cells, cursor: cells.length } };
    }
    return null;
  }

  /** Moves within the text, or else through the history. */
  #move(within: Editor | null, walk: () => string | null): void {
    if (within) {
      this.#editor = within;
      return;
    }
    const entry = walk();
    if (entry !== null) this.#editor = replaced(this.#editor, entry);
  }

  #complete(): Effect | null {
    const { cells, cursor } = this.#editor;
    const [hits, typed] = this.#options.complete(textOf(cells.slice(0, cursor)));
    // A folded text is one piece, of which no part can be completed.
    const letters = cursor - 1 - cells.slice(0, cursor).findLastIndex((cell) => typeof cell !== 'string');
    if (graphemes(typed).length > letters) return null;
    const common = commonStart(hits);
    if (hits.length > 1 && common.length <= typed.length) return { kind: 'candidates', candidates: hits };
    if (hits.length > 0) this.#change(replacedBack(this.#editor, graphemes(typed).length, common));
    return null;
  }

  /** Returns whether the key was one of the search. Any other key takes what was found and then acts on it. */
  #pressInSearch(letter: string | null, action: Action | null): boolean {
    const { query, at } = this.#search!;
    const find = (words: string, from: number) => ({ query: words, at: searched(this.#options.history(), words, from) });
    if (letter !== null) this.#search = find(query + letter, Math.max(0, at));
    else if (action === 'delete-back') this.#search = find(graphemes(query).slice(0, -1).join(''), 0);
    else if (action === 'search') {
      const older = find(query, at + 1);
      this.#search = older.at < 0 && at >= 0 ? this.#search : older;
    } else if (action === 'abort' || action === 'interrupt' || action === 'escape') this.#search = null;
    else {
      this.#accept();
      return false;
    }
    return true;
  }

  get #found(): string {
    return this.#options.history()[this.#search?.at ?? -1] ?? '';
  }

  /** Ends the search with what it has found. */
  #accept(): void {
    if (this.#search && this.#search.at >= 0) this.#change(replaced(this.#editor, this.#found));
    this.#search = null;
  }
}

/** Whether a text has a `"""` that is not closed. */
const isOpen = (text: string): boolean => text.split('"""').length % 2 === 0;

function commonStart(words: readonly string[]): string {
  const [first = '', ...rest] = words;
  let length = first.length;
  for (const word of rest) while (!word.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length);
}
