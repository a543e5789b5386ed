/**
 * The process in which pages are read. A thread of the node would not do: one that runs out of memory can end the whole process.
 * Here a thread of its own does the work, so that this process hears at once that its node is gone, and ends.
 */
import { Worker } from 'node:worker_threads';

const entry = new URL(`./page-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
const worker = new Worker(entry);
worker.on('message', (done) => process.send?.(done));
worker.once('error', () => process.exit(1));
process.on('message', (job) => worker.postMessage(job));
process.once('disconnect', () => process.exit(0));
