/** A process that starts an embedded model and does nothing with it. */
import { foldersOf } from '../../../platform/folders.ts';
import { openLog } from '../../../platform/log.ts';
import { openEmbedded } from '../../../roster/embedded/embedded.ts';

const state = process.argv[2]!;
const log = openLog({ folder: state, verbose: false, name: 'owner' });
const embedded = openEmbedded({ model: 'small', contextTokens: 512, folders: { ...foldersOf(process.env), state }, log });
console.log((await embedded.ready(new AbortController().signal)).baseUrl);
setInterval(() => {}, 60_000);
