/** The content of a chart’s picture, before its parts have places. */

/** The sense of a state; a theme has a colour for each. */
export type Tone = 'plain' | 'works' | 'waits' | 'ends' | 'any' | 'start';

export interface Box {
  readonly id: string;
  readonly tone: Tone;
  readonly name: string;
  readonly caption: readonly string[];
  readonly inside: readonly Box[];
  /** Of a live task. The caption says it too. */
  readonly mark?: 'active' | 'passed';
}
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label: readonly string[];
  /** A live task has taken it. */
  readonly taken?: true;
}
export interface Picture {
  readonly title: string;
  /** The whole content in words. */
  readonly description: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  /** Lines below the picture. */
  readonly notes: readonly string[];
  /** The direction of most arrows; boxes within a box may have their own. */
  readonly direction: 'down' | 'right';
}
