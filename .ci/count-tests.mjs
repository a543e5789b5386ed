/** Prints `<passed> <failed>` from vitest's JSON report. A test file that could not run counts as one failure. */
import { readFileSync } from 'node:fs';

const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const broken = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((it) => it.status === 'failed'),
);
console.log(`${numPassedTests} ${numFailedTests + broken.length}`);
