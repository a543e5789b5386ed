/** What a picture of a chart shows, before anything has a place. */

/** What a state is about; a theme has a colour for each. */
export type Tone = 'plain' | 'works' | 'waits' | 'ends' | 'any' | 'start';

export interface Box {
  readonly id: string;
  readonly tone: Tone;
  readonly name: string;
  readonly caption: readonly string[];
  readonly inside: readonly Box[];
}
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: readonly string[];
}
export interface Picture {
  readonly title: string;
  /** All that it shows, in words. */
  readonly description: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  /** Lines below the picture. */
  readonly notes: readonly string[];
  /** Where its arrows lead, on the whole; within a box, where they lead there. */
  readonly direction: 'down' | 'right';
}
