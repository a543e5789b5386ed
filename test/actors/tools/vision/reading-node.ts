/** A process that has a picture read, which takes long. It is killed in the middle of that. */
import { pino } from 'pino';
import { Reader } from '../../../../actors/tools/vision/reader.ts';
import { foldersOf } from '../../../../platform/folders.ts';
import { noise } from './pictures.ts';

const reader = new Reader({
  folders: foldersOf(process.env),
  log: pino({ level: 'silent' }),
  onProgress: () => {},
  env: process.env,
});
process.send!('begins');
await reader.text('noise.png', noise(2_500, 2_500), new AbortController().signal);
process.send!('has ended');
