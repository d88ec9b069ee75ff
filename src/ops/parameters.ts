import {Tensor} from '@tensorflow/tfjs-core';
import type {Parameters} from '../kernels/contract.js';
import {refusal} from '../util/received.js';

/** gamma and beta, by who applies them. */
export interface SortedParameters {
  /** One value per feature: the kernel's. */
  readonly inKernel: Parameters;
  /** Parameters to apply after it, in order, with the axes along which they vary. */
  readonly after: ReadonlyArray<{
    readonly parameters: Parameters;
    readonly axes: readonly number[];
  }>;
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
  const gammaVaries = variesByExample('gamma', gamma, x, features, who);
  const betaVaries = variesByExample('beta', beta, x, features, who);
  if (!gammaVaries && !betaVaries) return {inKernel: {gamma, beta}, after: []};
  const byExample = [0, ...features];
  // beta is added last: where gamma comes after the kernel, so does beta.
  const shift = {
    parameters: {beta},
    axes: betaVaries ? byExample : features,
  };
  return gammaVaries
    ? {inKernel: {}, after: [{parameters: {gamma}, axes: byExample}, shift]}
    : {inKernel: {gamma}, after: [shift]};
}

function variesByExample(
  name: string,
  tensor: Tensor | undefined,
  x: Tensor,
  features: readonly number[],
  who: string,
): boolean {
  if (tensor === undefined) return false;
  if (!(tensor instanceof Tensor)) {
    throw refusal(who, `${name} must be a tensor`, name, tensor);
  }
  const perFeature = features.map((axis) => x.shape[axis] ?? 1);
  const perExample = [...x.shape.slice(0, 1), ...perFeature];
  if (sameShape(tensor.shape, perFeature)) return false;
  if (!features.includes(0) && sameShape(tensor.shape, perExample)) return true;
  throw new Error(
    `${who}: ${name} must have the shape of the feature axes, ` +
      `[${perFeature.join()}], or one for each example, [${perExample.join()}]. ` +
      `Received: ${name}.shape=[${tensor.shape.join()}]`,
  );
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, i) => length === b[i]);
}
