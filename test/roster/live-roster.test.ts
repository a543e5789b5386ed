import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RosterError } from '../../roster/errors.ts';
import { type LiveRoster, openRoster } from '../../roster/live-roster.ts';
import type { Roster } from '../../roster/schema.ts';

let folder: string;
let live: LiveRoster | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-watch-'));
});
afterEach(async () => {
  live?.stop();
  await rm(folder, { recursive: true });
});

const text = (model: string) => `backends: { a: { base_url: http://h/v1, model: ${model} } }\n`;
type Event = { changed: Roster } | { broken: RosterError };

async function open() {
  const events: Event[] = [];
  let wake = (): void => {};
  const push = (event: Event): void => {
    events.push(event);
    wake();
  };
  const next = async (): Promise<Event> => {
    while (events.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return events.shift()!;
  };
  live = await openRoster({
    env: {},
    folders: { config: folder },
    cwd: folder,
    log: pino({ level: 'silent' }),
    onChange: (changed) => push({ changed }),
    onBroken: (broken) => push({ broken }),
  });
  return { live, next };
}

test('an edit takes effect, a broken one is reported with its line, and the next good one counts', async () => {
  const file = join(folder, 'roster.yaml');
  await writeFile(file, text('one'));
  const { live, next } = await open();
  expect(live.current().backends.a).toMatchObject({ model: 'one' });

  await writeFile(file, text('two'));
  expect(await next()).toMatchObject({ changed: { backends: { a: { model: 'two' } } } });
  expect(live.current().backends.a).toMatchObject({ model: 'two' });

  await writeFile(file, `${text('three')}nonsense: 1\n`);
  expect(await next()).toMatchObject({ broken: { code: 'roster-invalid', problems: [{ line: 2 }] } });
  expect(live.current().backends.a).toMatchObject({ model: 'two' });

  // Editors save by renaming a new file over the old one.
  await writeFile(join(folder, 'new'), text('four'));
  await rename(join(folder, 'new'), file);
  expect(await next()).toMatchObject({ changed: { backends: { a: { model: 'four' } } } });
  await writeFile(file, text('five'));
  expect(await next()).toMatchObject({ changed: { backends: { a: { model: 'five' } } } });
});

test('a deleted roster stays in use and is reported', async () => {
  const file = join(folder, 'roster.yaml');
  await writeFile(file, text('one'));
  const { live, next } = await open();
  await rm(file);
  expect(await next()).toMatchObject({ broken: { code: 'roster-missing' } });
  expect(live.current().backends.a).toMatchObject({ model: 'one' });
  live.stop();
  live.stop();
});

test('a roster that is broken at the start is an error', async () => {
  await writeFile(join(folder, 'roster.yaml'), 'backends: 3');
  await expect(open()).rejects.toMatchObject({ code: 'roster-invalid' });
});
