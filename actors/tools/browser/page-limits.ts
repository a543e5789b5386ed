/** The limits of the pages of a task. */

/** Further pages that a task may have open beside its current one; a page that opens more than these is closed at once. */
export const maxPages = 5;
/** Pop-ups that are closed at once before the page that opens them is closed too. */
export const maxClosedPopups = 20;
/** Dialogs that a page may open between two calls before it is closed. */
export const maxDialogs = 20;
/** The largest download, in bytes: as much as an artifact may have. */
export const maxDownloadBytes = 64 * 2 ** 20;
/** Downloads of one task that run at once. */
export const maxDownloads = 4;
/** Lines that wait for `notices()`. */
export const maxNotices = 40;
/** Longest wait of an action for its element, in ms. */
export const actionMs = 10_000;
/** Longest load of a page, in ms. */
export const loadMs = 30_000;
/** A page that does not answer within this many ms hangs. */
export const answerMs = 5_000;
/** Longest wait for a page that is opened again, in ms: for its answer, and then for its content. */
export const restoreMs = 10_000;
