/**
 * Opens the link of a console in the operator's browser. Everybody on the machine can read the arguments of a process, and the link
 * lets its first user in; so the browser is given a file that only this user can read, which leads to the link.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { writeSecret } from '../../bus/team/crew-file.ts';

/** @returns a function that removes the file. */
export function openLink(link: string, folder: string): () => void {
  const file = join(folder, `console-${process.pid}.html`);
  const page = `<!doctype html><meta charset="utf-8"><title>Coxswain</title><meta http-equiv="refresh" content="0;url=${link}">`;
  writeSecret(file, page);
  const url = pathToFileURL(file).href;
  const [command, ...args] = opener(url);
  const child = spawn(command!, args, { stdio: 'ignore', detached: true });
  // A machine without a browser has printed the link.
  child.on('error', () => {});
  child.unref();
  return () => rmSync(file, { force: true });
}

function opener(url: string): string[] {
  if (process.platform === 'darwin') return ['open', url];
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url];
  return ['xdg-open', url];
}
