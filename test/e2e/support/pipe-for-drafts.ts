/**
 * Is loaded into a node before its own code. The draft of every file that the node writes is the pipe that COX_TEST_PIPE names:
 * a write hangs in the kernel until the pipe has a reader.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const { open } = fs;
fs.open = (path, ...rest) =>
  /\.cox-[^/]+\.draft$/.test(String(path)) ? open(process.env.COX_TEST_PIPE!, 'w') : open(path, ...rest);
syncBuiltinESMExports();
