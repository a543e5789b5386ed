/** The names of the tools that act in a browser, for code that must not load a browser to know them. */
export const browserToolNames: ReadonlySet<string> = new Set(
  'goto snapshot click fill select press screenshot extract'.split(' '),
);
