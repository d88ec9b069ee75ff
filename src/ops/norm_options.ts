import {Tensor, tensor, type TensorLike} from '@tensorflow/tfjs-core';
import {type Axes, resolveAxes} from './axes.js';
import {scaleAndShift} from './normalize.js';
import {knownOptions} from './known_options.js';
import {refusal} from '../util/received.js';
import {sortParameters, type SortedParameters} from './parameters.js';
import {toFloat} from './to_float.js';

/** Options of the functions on tensors. */
export interface NormOptions {
  /** The axis or axes, negative ones counted from the last. Defaults to -1. */
  readonly axis?: Axes | undefined;
  /** Added to the variance before its root is taken. Defaults to 1e-3. */
  readonly epsilon?: number | undefined;
  /** Multiplied with the normalized values. Defaults to none, which is ones. */
  readonly gamma?: Tensor | undefined;
  /** Added last. Defaults to none, which is zeros. */
  readonly beta?: Tensor | undefined;
}

/** Arguments, checked and with their defaults. */
export interface PreparedNorm extends SortedParameters {
  readonly input: Tensor;
  readonly axes: readonly number[];
  readonly epsilon: number;
}

const OPTIONS: readonly string[] = ['axis', 'epsilon', 'gamma', 'beta'];

/**
 * Checks the arguments of a function on tensors and fills in its defaults.
 *
 * @param more The names of options that the function has beside these.
 */
export function prepareNorm(
  x: Tensor | TensorLike,
  options: NormOptions,
  who: string,
  more: readonly string[] = [],
  defaultEpsilon = 1e-3,
): PreparedNorm {
  knownOptions(options, [...OPTIONS, ...more], who);
  const axis = options.axis ?? -1;
  const epsilon = options.epsilon ?? defaultEpsilon;
  const gamma = options.gamma ?? undefined;
  const beta = options.beta ?? undefined;
  checkEpsilon(epsilon, who);
  const input = toFloat(x instanceof Tensor ? x : tensor(x));
  const axes = resolveAxes(axis, input.rank, who);
  const parameters = sortParameters(input, {gamma, beta}, axes, who);
  return {input, axes, epsilon, ...parameters};
}

/** Applies the parameters that vary by example. */
export function applyAfter(
  y: Tensor,
  after: SortedParameters['after'],
): Tensor {
  return after.reduce(
    (result, {parameters, axes}) => scaleAndShift(result, parameters, axes),
    y,
  );
}

/** @throws Error if epsilon is not a number above 0. */
export function checkEpsilon(epsilon: unknown, who: string): void {
  // As float32 has it, in which the smallest numbers are 0.
  const rounded = typeof epsilon === 'number' ? Math.fround(epsilon) : NaN;
  if (rounded > 0 && rounded < Infinity) return;
  throw refusal(who, 'epsilon must be a number above 0', 'epsilon', epsilon);
}
