import type {Tensor} from '@tensorflow/tfjs-core';
import type {Parameters} from '../kernels/packing.js';

/** gamma and beta, by who applies them. */
export interface SortedParameters {
  /** One value per feature: the kernel's. */
  readonly inKernel: Parameters;
  /** The rest, for `scaleAndShift`. */
  readonly after: Parameters;
  /** The shapes in which these broadcast against x. */
  readonly shapes: {
    readonly gamma: readonly number[];
    readonly beta: readonly number[];
  };
}

/**
 * Tells gamma and beta per feature from those per example, which have one rank
 * more, the batch first (conditional and adaptive normalization).
 *
 * @throws Error if one of them has neither shape.
 */
export function sortParameters(
  x: Tensor,
  {gamma, beta}: Parameters,
  features: readonly number[],
  who: string,
): SortedParameters {
  const variesGamma = variesByExample('gamma', gamma, x, features, who);
  const variesBeta = variesByExample('beta', beta, x, features, who);
  // beta is added last: where gamma comes after the kernel, so does beta.
  const betaAfter = variesBeta || variesGamma;
  const shapeOf = (varies: boolean): number[] =>
    featuresShape(x.shape, varies ? [0, ...features] : features);
  return {
    inKernel: {
      gamma: variesGamma ? undefined : gamma,
      beta: betaAfter ? undefined : beta,
    },
    after: {
      gamma: variesGamma ? gamma : undefined,
      beta: betaAfter ? beta : undefined,
    },
    shapes: {gamma: shapeOf(variesGamma), beta: shapeOf(variesBeta)},
  };
}

/** The shape in which a value per feature broadcasts against a tensor of `shape`. */
export function featuresShape(
  shape: readonly number[],
  features: readonly number[],
): number[] {
  return shape.map((length, axis) => (features.includes(axis) ? length : 1));
}

function variesByExample(
  name: string,
  tensor: Tensor | undefined,
  x: Tensor,
  features: readonly number[],
  who: string,
): boolean {
  if (tensor === undefined) return false;
  const perFeature = features.map((axis) => x.shape[axis] ?? 1);
  const perExample = [x.shape[0] ?? 1, ...perFeature];
  if (sameShape(tensor.shape, perFeature)) return false;
  if (!features.includes(0) && sameShape(tensor.shape, perExample)) return true;
  throw new Error(
    `${who}: ${name} must have the shape of the feature axes, ` +
      `[${perFeature.join()}], or one for each example, [${perExample.join()}]. ` +
      `Received: ${name} of shape [${tensor.shape.join()}]`,
  );
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}
