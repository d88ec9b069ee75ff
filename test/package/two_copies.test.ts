import {warnings} from '../support/warnings.js';

/** Runs a function in a program that has not loaded tf.js yet. */
function inNewProgram(run: () => void): void {
  const globals = globalThis as {_tfengine?: unknown};
  const before = globals._tfengine;
  delete globals._tfengine;
  try {
    run();
  } finally {
    globals._tfengine = before;
  }
}

function loadCopyOf(name: string): void {
  jest.isolateModules(() => {
    jest.requireActual(name);
  });
}

describe('F29: a program with two copies of tf.js', () => {
  it('is warned if the other copy was loaded first', () => {
    inNewProgram(() => {
      loadCopyOf('@tensorflow/tfjs-core');
      loadCopyOf('tfjs-normalization');
    });
    // tfjs itself warns about the platform.
    const ours = warnings().filter((text) =>
      text.startsWith('tfjs-normalization'),
    );
    expect(ours).toEqual([
      expect.stringMatching(/another copy of TensorFlow\.js.*npm ls/),
    ]);
  });

  it('is not warned with one', () => {
    inNewProgram(() => {
      loadCopyOf('tfjs-normalization');
    });
    expect(warnings()).toEqual([]);
  });
});
