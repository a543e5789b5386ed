/** The real embedded backend: the `small` model, fetched once into this user’s cache, in a process of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll } from 'vitest';
import { foldersOf } from '../../../platform/folders.ts';
import { openLog } from '../../../platform/log.ts';
import { type Embedded, type Endpoint, openEmbedded } from '../../../roster/embedded/embedded.ts';

export const never = new AbortController().signal;

/** Cleanups. `afterAll` is registered while the file is collected, since vitest ignores it within a test. */
const leaving: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const leave of leaving.splice(0).reverse()) await leave();
});

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cox-embedded-'));
  leaving.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function open(model = 'small'): Promise<Embedded> {
  const state = await tempFolder();
  const log = openLog({ folder: state, verbose: false, name: 'test' });
  const embedded = openEmbedded({ model, contextTokens: 4096, folders: { ...foldersOf(process.env), state }, log });
  leaving.push(() => embedded.stop());
  return embedded;
}

export const client = ({ baseUrl, key }: Endpoint): OpenAI => new OpenAI({ baseURL: baseUrl, apiKey: key, maxRetries: 0 });

export interface Health {
  readonly waiting: number;
  readonly tokens: { readonly read: number; readonly written: number };
}

export async function health({ baseUrl }: Endpoint): Promise<Health> {
  return (await (await fetch(new URL('/health', baseUrl))).json()) as Health;
}

/** Asks until the condition is true: nothing else shows what happens inside before the first token. */
export async function until(endpoint: Endpoint, holds: (health: Health) => boolean): Promise<Health> {
  for (;;) {
    const now = await health(endpoint);
    if (holds(now)) return now;
  }
}
