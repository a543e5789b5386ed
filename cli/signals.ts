/**
 * Handles Ctrl-C, SIGTERM and a closed terminal. Handlers form a stack, and only the top one is called: a command takes over from
 * the default handler and gives control back. The third signal ends the process in any case.
 */
import process from 'node:process';
import { endProcess } from './end-process.ts';
import { exitCodes } from './exit-codes.ts';

type Handler = (signal: NodeJS.Signals) => void;

const heard: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const patience = 3;
/** One Ctrl-C reaches a child of npm twice: from the terminal and from npm. A person cannot press it twice within this time. */
const echoMs = 150;

const handlers: Handler[] = [];
let count = 0;
let last: { signal: NodeJS.Signals; atMs: number } | null = null;

function hear(signal: NodeJS.Signals): void {
  const atMs = performance.now();
  const isEcho = last?.signal === signal && atMs - last.atMs < echoMs;
  last = { signal, atMs };
  if (isEcho) return;
  count += 1;
  if (count >= patience) void endProcess(exitOf(signal));
  else handlers.at(-1)?.(signal);
}

export function onSignal(handler: Handler): () => void {
  if (handlers.length === 0) for (const signal of heard) process.on(signal, hear);
  handlers.push(handler);
  return () => {
    const at = handlers.indexOf(handler);
    if (at < 0) return;
    handlers.splice(at, 1);
    if (handlers.length === 0) for (const signal of heard) process.off(signal, hear);
  };
}

export const exitOf = (signal: NodeJS.Signals): number => (signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
