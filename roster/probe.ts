/** Sees by two small calls how a backend behaves: one with a tool, and one for JSON of a given shape. */
import { z } from 'zod';
import type { Backends } from './backends.ts';
import { addUsage, type ModelReply } from './conversation.ts';
import { ModelError } from './errors.ts';
import { nothing } from './purse.ts';
import { lastOf } from './structured.ts';

export interface Answering {
  readonly answers: true;
  /** Milliseconds from the request to the whole reply of the call with the tool, starting an embedded model included. */
  readonly replyMs: number;
  /** Whether the model called the tool that it was asked to call. */
  readonly callsTools: boolean;
  /** Whether its JSON fits the shape. */
  readonly fitsShape: boolean;
  /** Whether the server told thoughts beside the text, or the text had some. */
  readonly tellsThoughts: boolean;
  /** US dollars, as a real call would be billed. */
  readonly costUsd: number;
}
export type Probe = Answering | { readonly answers: false; readonly code: string; readonly why: string };

const tool = {
  name: 'ready',
  description: 'Says that you are ready.',
  parameters: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'], additionalProperties: false },
};
/** Enough for a model that thinks before it calls a tool. */
const maxOutputTokens = 1_024;
const user = (text: string) => [{ role: 'user' as const, text }];

/** It first forgets what was learnt about the backend. @throws the signal's reason. */
export async function probe(backends: Backends, name: string, signal: AbortSignal): Promise<Probe> {
  backends.forget(name);
  const startedAt = performance.now();
  try {
    const reply = await callWithTool(backends, name, signal);
    const replyMs = Math.round(performance.now() - startedAt);
    const shaped = await askForShape(backends, name, signal);
    return {
      answers: true,
      replyMs,
      callsTools: reply.calls.some(({ tool: called }) => called === tool.name),
      fitsShape: shaped !== null,
      tellsThoughts: reply.thoughts !== undefined,
      costUsd: addUsage(reply.usage, shaped ?? nothing).costUsd,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ModelError) return { answers: false, code: error.code, why: error.message };
    throw error;
  }
}

function callWithTool(backends: Backends, name: string, signal: AbortSignal): Promise<ModelReply> {
  const request = { messages: user('Call the tool `ready` with the word "yes".'), tools: [tool], maxOutputTokens };
  return lastOf(backends.call(name, request, signal));
}

/** @returns the usage; null if the model gave no JSON that fits. */
async function askForShape(backends: Backends, name: string, signal: AbortSignal) {
  const shape = z.object({ ready: z.boolean() });
  const request = { messages: user('Are you ready? Reply with JSON.'), shape, shapeName: 'readiness', maxOutputTokens };
  try {
    return (await backends.ask(name, request, signal)).usage;
  } catch (error) {
    if (error instanceof ModelError && error.code === 'bad-reply') return null;
    throw error;
  }
}
