import {renameSync, writeFileSync} from 'node:fs';

/** The numbers of tests passed and failed so far. */
export class Counts {
  passed = 0;
  failed = 0;
  skipped = 0;
  failedTests = [];

  /** An error outside of any test counts as one failed test. */
  add(backend, {file, tests, errors}) {
    const place = `${backend} › ${file}`;
    this.failedTests.push(
      ...withStatus(tests, 'failed').map(({path}) =>
        [place, ...path].join(' › '),
      ),
      ...(errors.length > 0 ? [`${place} does not run`] : []),
    );
    const count = (status) => withStatus(tests, status).length;
    this.passed += count('passed');
    this.failed += count('failed') + (errors.length > 0 ? 1 : 0);
    this.skipped += count('skipped');
  }

  fail(message) {
    console.error(message);
    this.failed++;
    this.failedTests.push(message);
  }

  write(file) {
    const counts = {
      numPassedTests: this.passed,
      numFailedTests: this.failed,
      numPendingTests: this.skipped,
      failedTests: this.failedTests,
    };
    const part = `${file}.${process.pid}.part`;
    writeFileSync(part, `${JSON.stringify(counts, undefined, 2)}\n`);
    renameSync(part, file);
  }

  toString() {
    return `Browser tests: ${this.passed} passed, ${this.failed} failed`;
  }
}

/**
 * Formats a line for a file, then its failures in full, and its skipped tests.
 */
export function describeFile(backend, {file, tests, errors, seconds}) {
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(
    (status) => withStatus(tests, status),
  );
  const counts = `${passed.length} passed, ${failed.length} failed`;
  const title = ({path}) => path.join(' › ');
  return [
    `${backend}  ${file}: ${counts} (${seconds.toFixed(1)} s)`,
    ...failed.map((test) => block(backend, title(test), test.errors)),
    ...(errors.length > 0 ? [block(backend, file, errors)] : []),
    ...skipped.map((test) => `  Skipped: ${title(test)}`),
  ].join('\n');
}

function block(backend, title, errors) {
  return `\n● ${backend} › ${title}\n\n${errors.join('\n\n')}\n`;
}

function withStatus(tests, status) {
  return tests.filter((test) => test.status === status);
}
