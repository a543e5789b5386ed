/**
 * The keyboard of a terminal in raw mode. While it is open, every key comes here. Closing it reads what is still buffered and
 * throws it away, so that no rest of a paste reaches the shell.
 */
import { emitKeypressEvents, type Interface, type Key } from 'node:readline';
import { PassThrough } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { PasteReader } from './paste-reader.ts';

export interface KeyboardOptions {
  readonly input: NodeJS.ReadStream;
  /** Writes the codes that switch bracketed paste on and off. */
  readonly write: (codes: string) => void;
  /** `letter` is the typed character, if the key has one. */
  readonly onKey: (letter: string | undefined, key: Key) => void;
  readonly onPaste: (text: string) => void;
  /** After all keys of a chunk. */
  readonly onRead: () => void;
  /** The terminal has gone. */
  readonly onEnd: () => void;
}

const pasteOn = '\u001b[?2004h';
const pasteOff = '\u001b[?2004l';
/** Time in ms after which an Escape without a key behind it is the Escape key. */
const escapeCodeTimeout = 100;
/** A terminal is empty when it has sent nothing for `quietMs`; a terminal that never stops is left after `mostDrainMs`. */
const quietMs = 30;
const mostDrainMs = 1000;

export class Keyboard {
  readonly #options: KeyboardOptions;
  readonly #keys = new PassThrough();
  readonly #pastes = new PasteReader();
  readonly #decoder = new StringDecoder('utf8');
  /** Set while the rest of the input is thrown away. */
  #drained: { readonly done: () => void; quiet: NodeJS.Timeout | undefined } | null = null;
  #isOpen = false;
  #hasEnded = false;

  constructor(options: KeyboardOptions) {
    this.#options = options;
    const { input } = options;
    toleratesHangUp(input);
    // Of its interface Node reads the time-out alone.
    emitKeypressEvents(this.#keys, { escapeCodeTimeout } as unknown as Interface);
    this.#keys.on('keypress', (letter: string | undefined, key: Key) => {
      options.onKey(letter, key);
      // An Escape comes by a timer and not with a chunk.
      if (key.name === 'escape') options.onRead();
    });
    input.on('end', () => this.#ended());
    input.on('close', () => this.#ended());
  }

  /** Takes the keyboard. Idempotent. */
  open(): void {
    if (this.#isOpen || this.#hasEnded) return;
    this.#isOpen = true;
    const { input, write } = this.#options;
    // Another program may have changed the mode, and Node sets no mode that it believes to be set.
    input.setRawMode(false);
    input.setRawMode(true);
    write(pasteOn);
    input.on('data', this.#read);
    input.resume();
  }

  /** Gives the keyboard to another program, such as an editor or the shell. `open` takes it back. */
  release(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { input, write } = this.#options;
    input.off('data', this.#read);
    input.pause();
    write(pasteOff);
    input.setRawMode(false);
  }

  /** Throws away what is buffered, then gives the keyboard back. */
  async close(): Promise<void> {
    if (this.#isOpen && !this.#hasEnded) await this.#drain();
    this.release();
  }

  async #drain(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const limit = setTimeout(resolve, mostDrainMs);
    this.#drained = { done: resolve, quiet: undefined };
    this.#waitForQuiet();
    await promise;
    clearTimeout(limit);
    clearTimeout(this.#drained.quiet);
  }

  readonly #read = (data: Buffer | string): void => {
    const text = typeof data === 'string' ? data : this.#decoder.write(data);
    const pieces = this.#pastes.read(text);
    if (this.#drained) this.#discard(text);
    for (const piece of pieces) {
      if (this.#drained || !this.#isOpen) return;
      if (piece.kind === 'paste') this.#options.onPaste(piece.text);
      else this.#keys.emit('data', Buffer.from(piece.text));
    }
    if (this.#isOpen && !this.#drained) this.#options.onRead();
  };

  #discard(text: string): void {
    // In raw mode Ctrl-C is a key, but it must still be able to stop a process that takes long to leave.
    if (text === '\u0003') process.kill(process.pid, 'SIGINT');
    this.#waitForQuiet();
  }

  #waitForQuiet(): void {
    const drained = this.#drained!;
    clearTimeout(drained.quiet);
    // A marked paste is read to its end, however slowly it comes.
    if (!this.#pastes.isOpen) drained.quiet = setTimeout(drained.done, quietMs);
  }

  #ended(): void {
    this.#hasEnded = true;
    this.#drained?.done();
    this.#options.onEnd();
  }
}

/** Resetting a closed terminal fails; that is no fault, because nobody sees it any more. */
function toleratesHangUp(input: NodeJS.ReadStream): void {
  const setRawMode = input.setRawMode.bind(input);
  input.setRawMode = (mode) => {
    try {
      return setRawMode(mode);
    } catch {
      return input;
    }
  };
  input.on('error', () => {});
}
