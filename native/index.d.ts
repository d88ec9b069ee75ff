/** The ops of this package, once they are registered with TensorFlow. */
export interface Installation {
  /** The version of the ops: their names, inputs, attributes and outputs. */
  readonly version: number;
  /**
   * Reads, or sets, the most threads that compute, the caller's included.
   *
   * @param most 1 to 64. Defaults to what it is.
   */
  readonly threads: (most?: number) => number;
  /**
   * Reads, or chooses, the instructions to compute with.
   *
   * @param name `base`, `avx2` or `avx512`; where the processor lacks them, lesser ones are
   *   taken. Defaults to those in use, which are the best that the processor has.
   */
  readonly instructions: (name?: 'base' | 'avx2' | 'avx512') => string;
}

/**
 * Registers the ops with the TensorFlow that `@tensorflow/tfjs-node` has loaded, once in a
 * process. tfjs-normalization calls it; a program has no need to.
 *
 * @throws Error if there is no addon for this machine, if Node may not load addons, or if
 *   TensorFlow is not loaded or lacks a function.
 */
export function install(): Installation;
