/**
 * A process that installs a set: `node set-installer.ts <folder of the set> <cache> <bytes>`. It prints the folder, or the error.
 */
import { CoxError } from '../../platform/errors.ts';
import { openLog } from '../../platform/log.ts';
import { obtainPackages } from '../../platform/package-set.ts';

const [folder = '', cache = '', bytes = '0'] = process.argv.slice(2);
const log = openLog({ folder: `${folder}/state`, verbose: false, name: 'test' });
const outcome = await obtainPackages({ name: 'a set', folder, bytes: Number(bytes) }, { folder: cache, log }).then(
  (installed) => ({ installed }),
  (error) => ({ code: (error as CoxError).code, message: (error as CoxError).message, isOurs: error instanceof CoxError }),
);
process.stdout.write(`${JSON.stringify(outcome)}\n`);
