/** The lines that a terminal shows about a console that was opened. */
export const consoleLines = ({ link }: { readonly link: string }): string[] => [
  `Console: ${link}`,
  'The link opens once, in the browser of this machine. It reads until you unlock it there; Ctrl-C ends it.',
];
