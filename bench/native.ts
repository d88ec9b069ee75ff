import {createRequire} from 'node:module';
import {join} from 'node:path';
import {InputError, reasonOf} from '../tools/errors.js';

const PACKAGE = 'tfjs-normalization-native';

/**
 * Chooses the kernels of the tensorflow backend, before the package computes there: without
 * this, those of the native package would be measured wherever it is built.
 */
export function chooseNative(isWanted: boolean): void {
  process.env.TFJS_NORMALIZATION_NATIVE = isWanted ? '1' : '0';
}

/**
 * Checks that the native kernels compute, once TensorFlow is loaded.
 *
 * @throws InputError with the reason why they cannot.
 */
export function checkNative(): void {
  try {
    const require = createRequire(join(process.cwd(), 'package.json'));
    (require(PACKAGE) as {install: () => unknown}).install();
  } catch (error) {
    throw new InputError(`--native: ${reasonOf(error)}`);
  }
}
