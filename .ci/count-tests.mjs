/** Prints `<passed> <failed>` of vitest's JSON report. A file that could not be run at all is one failure. */
import { readFileSync } from 'node:fs';

const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const broken = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((it) => it.status === 'failed'),
);
console.log(`${numPassedTests} ${numFailedTests + broken.length}`);
