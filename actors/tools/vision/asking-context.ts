/**
 * Asking a backend with vision about a picture, for a tool that ships (docs/adr/0037). It is no part of the library: a task has one
 * reservation of money, and a tool of others would need more rules than this one.
 */
import type { PictureHead } from './format.ts';

export interface AboutPicture {
  /** As errors and notes name it. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly head: PictureHead;
  readonly question: string;
}
/** The words of the backend, which are content and no instructions; or the reason why there are none. */
export type Seen = { readonly backend: string; readonly text: string } | { readonly why: string };

/** There for `look_at` alone. */
export interface AskingContext {
  /**
   * Asks a backend with vision that the task may use, out of its budget.
   * @throws the signal's reason.
   */
  askAbout?(about: AboutPicture): Promise<Seen>;
}
