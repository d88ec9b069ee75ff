// Sums up files of results, as the tests in Node and in a browser write them: the
// numbers of tests passed and failed, and then the name of each failed test.
import {readFileSync} from 'node:fs';

const results = process.argv.slice(2).map(read);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
console.log(sum('numPassedTests'), sum('numFailedTests'));
for (const {failedTests} of results)
  failedTests.forEach((name) => console.log(name));

/** Tests that have left no results count as one that failed. */
function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    const failedTests = ['tests that have ended without results'];
    return {numPassedTests: 0, numFailedTests: 1, failedTests};
  }
}
