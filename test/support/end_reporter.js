// Reports at the end of a run which tests failed, on which backend, and which were
// skipped or left out. Writes the results to the file in TEST_RESULTS, if there is one.
const {writeFileSync} = require('node:fs');
const {relative} = require('node:path');
const {backends} = require('./backends.js');
const {native} = require('./native.js');

module.exports = class {
  /** @param {{leftOut?: string}} options What this run leaves out, in words. */
  constructor(config, {leftOut} = {}) {
    this.rootDir = config.rootDir;
    this.leftOut = leftOut;
    this.failed = [];
  }

  onTestResult({context: {config}}, result) {
    const {name} = config.displayName;
    const place = `${name} › ${relative(this.rootDir, result.testFilePath)}`;
    this.failed.push(...failedIn(result, place));
  }

  onRunComplete(_, results) {
    // Workers end in any order.
    const failed = [...this.failed].sort();
    for (const line of skipped()) console.log(`\nSkipped: ${line}`);
    if (this.leftOut !== undefined) {
      console.log(
        `\nLeft out: ${this.leftOut}. "npm run test:all" runs everything.`,
      );
    }
    if (failed.length > 0) {
      console.log(['\nFailed tests:', ...failed].join('\n  '));
    }
    const {TEST_RESULTS: file} = process.env;
    if (file) writeFileSync(file, JSON.stringify(countsOf(results, failed)));
  }
};

/** The full names of the failed tests of a file. */
function failedIn({testExecError, testResults}, place) {
  if (testExecError) return [`${place} does not run`];
  return testResults
    .filter(({status}) => status === 'failed')
    .map(({ancestorTitles, title}) =>
      [place, ...ancestorTitles, title].join(' › '),
    );
}

/** A file that does not run counts as one failed test. */
function countsOf(results, failedTests) {
  const {numPassedTests, numFailedTests, numRuntimeErrorTestSuites} = results;
  return {
    numPassedTests,
    numFailedTests: numFailedTests + numRuntimeErrorTestSuites,
    failedTests,
  };
}

function skipped() {
  const lines = backends().skipped.map(
    ({name, why}) =>
      `every test on the backend ${name}: ${why}. "npm run add-tensorflow" adds it.`,
  );
  const {why} = native();
  if (why !== undefined) {
    lines.push(
      `every test of the native kernels: ${why}. "npm run native" builds them.`,
    );
  }
  if (process.env.KERAS_MODELS !== undefined) return lines;
  return [
    'models that Keras makes on the fly, and its check of mutants. ' +
      '"npm run test:keras" tests with them.',
    ...lines,
  ];
}
