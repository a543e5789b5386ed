/** Chooses the screen for the streams of a session. */
import { PlainScreen } from './plain-screen.ts';
import type { Screen, ScreenOptions } from './screen.ts';
import { TerminalScreen } from './terminal-screen.ts';

export function openScreen(options: ScreenOptions, env: NodeJS.ProcessEnv): Screen {
  const hasCodes = options.input.isTTY && options.output.isTTY && env.TERM !== 'dumb';
  return hasCodes ? new TerminalScreen(options) : new PlainScreen(options);
}
