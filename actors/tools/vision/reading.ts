/** The requests to the process that decodes pictures and documents, and its replies (reader.ts, reader-process.ts). */

/** In pixels of the picture, from its top left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface Word extends Box {
  readonly text: string;
}
export interface PageText {
  readonly text: string;
  /** Percent, as the OCR believes. */
  readonly confidence: number;
  /** Words by line, in reading order. */
  readonly lines: readonly (readonly Word[])[];
}
export interface Scaled {
  /** MIME type. */
  readonly type: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}
export interface CheckBox {
  readonly box: Box;
  readonly checked: boolean;
}
export interface Form {
  readonly lines: PageText['lines'];
  /** Frames that look like the fields of a form. */
  readonly frames: readonly Box[];
  /** Squares that look like check boxes. */
  readonly checkBoxes: readonly CheckBox[];
}
/**
 * `layer`: the text is in the file. `ocr`: it was read from a picture of the page. `none`: the page has no text. `damaged`: the
 * text says why the page cannot be read.
 */
export interface DocumentPage {
  readonly page: number;
  readonly text: string;
  readonly from: 'layer' | 'ocr' | 'none' | 'not-read' | 'damaged';
}
export interface DocumentText {
  /** Number of pages of the document. */
  readonly pages: number;
  readonly read: readonly DocumentPage[];
}

/** Folders of installed sets of packages (platform/package-set.ts). */
export interface Sets {
  readonly ocr?: string;
  /** Has @napi-rs/canvas. */
  readonly pictures?: string;
  readonly documents?: string;
}
export interface Limits {
  readonly side: number;
  readonly pixels: number;
  readonly bytes: number;
}

export interface Readings {
  scale: { readonly asks: { readonly bytes: Uint8Array; readonly to: Limits }; readonly gives: Scaled };
  text: {
    readonly asks: { readonly bytes: Uint8Array; readonly pixels: number; readonly type: string; readonly turned: boolean };
    readonly gives: PageText;
  };
  form: { readonly asks: { readonly bytes: Uint8Array }; readonly gives: Form };
  document: { readonly asks: { readonly bytes: Uint8Array; readonly pages: readonly number[] }; readonly gives: DocumentText };
}
export type ReadingKind = keyof Readings;
export type Asked = { [Kind in ReadingKind]: { readonly kind: Kind; readonly sets: Sets } & Readings[Kind]['asks'] }[ReadingKind];
export type Told =
  | { readonly ok: true; readonly gives: unknown }
  /** `words`: for the model. */
  | { readonly ok: false; readonly words: string };

/** Pages whose picture is read in one call; each takes some seconds. */
export const maxOcrPages = 5;
