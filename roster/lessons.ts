/**
 * What was learnt about a backend from its refusals, each with the server's words and its time. A lesson is forgotten after an
 * hour, when the full protocol is tried again, and at once when the backend's roster entry changes or `cox menu --probe` asks it.
 * The lessons are in a file of the state folder, so that other processes of the machine know them and `cox menu` can show them.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { fitted } from '../platform/cut.ts';
import type { Backend } from './backend-schema.ts';
import { type Change, type Dialect, firstDialect } from './dialect.ts';

const lessonAgeMs = 3_600_000;
const longestWhy = 200;

const Lesson = z.object({
  part: z.enum([
    'tools',
    'structured',
    'outputField',
    'temperature',
    'streamOptions',
    'stream',
    'system',
    'thoughts',
    'pictures',
  ]),
  to: z.object({
    tools: z.literal('text').optional(),
    structured: z.literal('prompt').optional(),
    outputField: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
    temperature: z.literal(false).optional(),
    streamOptions: z.literal(false).optional(),
    stream: z.literal(false).optional(),
    system: z.literal('user').optional(),
    thoughts: z.enum(['required', 'dropped']).optional(),
    pictures: z.literal('words').optional(),
  }),
  /** The words of the refusal. */
  why: z.string().max(longestWhy),
  /** Time in ms. */
  at: z.number(),
});
type Lesson = z.infer<typeof Lesson>;
const LessonFile = z.record(z.string(), z.object({ entry: z.string(), lessons: z.array(Lesson).max(16) }));

/** A lesson as operators see it. */
export interface Learnt {
  readonly what: string;
  readonly why: string;
  /** ISO 8601. */
  readonly since: string;
}

const picturesInWords = 'pictures are described in words';
export const refusesPictures = (learnt: readonly Learnt[]): boolean => learnt.some(({ what }) => what === picturesInWords);

const inWords: Readonly<Record<Lesson['part'], (to: Lesson['to']) => string>> = {
  tools: () => 'tools are described in the prompt',
  structured: () => 'JSON is asked for in words',
  outputField: ({ outputField }) => `the limit of the output is sent as ${outputField}`,
  temperature: () => 'no temperature is sent',
  streamOptions: () => 'usage is not asked for in streams',
  stream: () => 'replies come as a whole and not in pieces',
  system: () => 'the system text is told by the user',
  thoughts: ({ thoughts }) =>
    thoughts === 'dropped'
      ? 'thoughts are not sent back to it'
      : 'thoughts are sent back to it, and calls of other models told in words',
  pictures: () => picturesInWords,
};

export class Lessons {
  private readonly file: string;
  private readonly now: () => number;
  private versionRead: string | null = null;
  private readonly known = new Map<string, { readonly entry: string; readonly lessons: readonly Lesson[] }>();

  /** @param folder the state folder; nothing is kept where it does not exist. */
  constructor(folder: string, now: () => number) {
    this.file = join(folder, 'lessons.json');
    this.now = now;
  }

  dialect(name: string, backend: Backend): Dialect {
    return Object.assign({}, firstDialect(backend), ...this.of(name, backend).map(({ to }) => to));
  }

  learnt(name: string, backend: Backend): Learnt[] {
    return this.of(name, backend).map(({ part, to, why, at }) => ({
      what: inWords[part](to),
      why,
      since: new Date(at).toISOString(),
    }));
  }

  learn(name: string, backend: Backend, { part, to }: Change, why: string): void {
    const others = this.of(name, backend).filter((lesson) => lesson.part !== part);
    const lesson = Lesson.parse({ part, to, why: fitted(why, longestWhy), at: this.now() });
    this.known.set(name, { entry: entryOf(backend), lessons: [...others, lesson] });
    this.write(name);
  }

  /** The full protocol is tried again at once. */
  forget(name: string): void {
    this.refresh();
    if (!this.known.delete(name)) return;
    this.write(name);
  }

  private of(name: string, backend: Backend): readonly Lesson[] {
    this.refresh();
    const known = this.known.get(name);
    if (known?.entry !== entryOf(backend)) return [];
    return known.lessons.filter(({ at }) => Math.abs(this.now() - at) < lessonAgeMs);
  }

  /** Another process may have learnt or forgotten something. Where there is no file, the lessons are in memory alone. */
  private refresh(): void {
    const version = this.version();
    if (version === null || version === this.versionRead) return;
    this.versionRead = version;
    this.known.clear();
    for (const [name, lessons] of Object.entries(this.read())) this.known.set(name, lessons);
  }

  /** Every write makes a new file. */
  private version(): string | null {
    try {
      const { ino, mtimeMs } = statSync(this.file);
      return `${ino} ${mtimeMs}`;
    } catch {
      return null;
    }
  }

  private read(): z.infer<typeof LessonFile> {
    try {
      return LessonFile.parse(JSON.parse(readFileSync(this.file, 'utf8')));
    } catch {
      // Missing, of another version, or damaged: what was learnt is learnt again.
      return {};
    }
  }

  /** Other processes write their own backends' lessons, so only this backend's are replaced. */
  private write(name: string): void {
    const next = `${this.file}.${randomUUID()}`;
    try {
      writeFileSync(next, JSON.stringify({ ...this.read(), [name]: this.known.get(name) }), { mode: 0o600 });
      renameSync(next, this.file);
    } catch {
      // A full disk or a missing folder costs no call: the lesson stays in memory.
      rmSync(next, { force: true });
    }
  }
}

/** The roster entry for which something was learnt: another one may name another server. */
const entryOf = (backend: Backend): string => createHash('sha256').update(JSON.stringify(backend)).digest('hex').slice(0, 16);
