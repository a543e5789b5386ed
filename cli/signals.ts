/**
 * Who hears Ctrl-C, SIGTERM and a closed terminal. Handlers stack: a command takes over from the default and gives it back. When the one in
 * charge has not ended the process by the third signal, it ends anyway: an operator is never locked in.
 */
import process from 'node:process';
import { exitCodes } from './exit-codes.ts';

type Handler = (signal: NodeJS.Signals) => void;

const heard: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const patience = 3;
const handlers: Handler[] = [];
let count = 0;

function hear(signal: NodeJS.Signals): void {
  count += 1;
  if (count >= patience) process.exit(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
  handlers.at(-1)?.(signal);
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
