/** From nothing to a task that is stored, for start.ts: no server runs, nothing is known but the binary. Says so and leaves. */
import { joinCrew } from '../../actors/library.ts';

const { crew, close } = await joinCrew();
const id = await crew.dispatch({ type: 'files', instruction: 'later' });
process.stdout.write(`stored ${id}\n`);
await close();
