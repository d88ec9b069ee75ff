// jest in a page: its describe, it and hooks (jest-circus), expect and mocks,
// as globals, as in Node.
import {jestExpect} from '@jest/expect';
import * as circus from 'jest-circus';
import {ModuleMocker} from 'jest-mock';

/** A test that ran or was skipped. */
export interface TestResult {
  readonly path: string[];
  readonly status: 'passed' | 'failed' | 'skipped';
  /** The failures, each with its stack. */
  readonly errors: string[];
}

/** The results of the tests of a file. */
export interface FileResult {
  readonly tests: TestResult[];
  /** Errors outside of any test. */
  readonly errors: string[];
}

const mocker = new ModuleMocker(globalThis);

const jest = {
  fn: mocker.fn.bind(mocker),
  mocked: <T>(source: T): T => source,
  restoreAllMocks: mocker.restoreAllMocks.bind(mocker),
  spyOn: mocker.spyOn.bind(mocker),
};

const {describe, it, test, beforeAll, beforeEach, afterEach, afterAll} = circus;
Object.assign(globalThis, {
  ...{describe, it, test, beforeAll, beforeEach, afterEach, afterAll},
  ...{expect: jestExpect, jest},
});

/** Loads these modules, in order, and runs the tests that they define. */
async function runTests(
  modules: string[],
  {timeout}: {timeout: number},
): Promise<FileResult> {
  circus.setState({...circus.getState(), testTimeout: timeout});
  for (const module of modules) await import(module);
  const {testResults, unhandledErrors} = await circus.run();
  return {
    tests: testResults.map(({testPath, status, errors}) => ({
      // The first element is the root.
      path: testPath.slice(1),
      status: statusOf(status, errors),
      errors: [...errors],
    })),
    errors: [...unhandledErrors],
  };
}

function statusOf(
  status: string,
  errors: readonly string[],
): TestResult['status'] {
  if (errors.length > 0) return 'failed';
  return status === 'done' ? 'passed' : 'skipped';
}

Object.assign(globalThis, {runTests});
