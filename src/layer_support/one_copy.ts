import {env, Environment} from '@tensorflow/tfjs-core';

/** The cure where a program has two copies of TensorFlow.js, for messages. */
export const ONE_COPY =
  'Make all of a program use one copy: "npm ls @tensorflow/tfjs-layers" shows ' +
  'them, "npm dedupe" merges them, a page loads tfjs by one script only, a bundle ' +
  'leaves out all of /^@tensorflow\\// or none of it, and Next has both ' +
  '@tensorflow/tfjs and tfjs-normalization in serverExternalPackages.';

let isChecked = false;

/**
 * Warns once if another copy of TensorFlow.js was loaded before the one that this
 * package uses: models made with it would not know this package's layers.
 */
export function warnOfAnotherCopy(): void {
  if (isChecked) return;
  isChecked = true;
  // All copies share what the first of them has made.
  if (env() instanceof Environment) return;
  console.warn(
    'tfjs-normalization: the program has loaded another copy of TensorFlow.js than ' +
      'the one this package uses. Models of that copy load with "Unknown layer", and ' +
      `a patch does not reach them. ${ONE_COPY}`,
  );
}
