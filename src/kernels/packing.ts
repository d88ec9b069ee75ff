import type {Tensor} from '@tensorflow/tfjs-core';
import type {NormalizeAttributes, NormalizeGradAttributes} from './kernels.js';

/*
 * The kernels take tensors as an array, without those that are absent: tfjs
 * looks for every key of a map, also for one that is undefined. The attributes
 * say which are there. This is the one place that knows the order.
 */

/** gamma and beta, where a layer has them. */
export interface Parameters {
  readonly gamma?: Tensor | undefined;
  readonly beta?: Tensor | undefined;
}

/** What Normalize returns. */
export interface Normalized {
  readonly y: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** What NormalizeGrad takes. */
export interface GradInputs {
  readonly dy: Tensor;
  readonly dmean?: Tensor | undefined;
  readonly dvariance?: Tensor | undefined;
  readonly x: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly gamma?: Tensor | undefined;
}

/** What NormalizeGrad returns. */
export interface Gradients {
  readonly dx: Tensor;
  readonly dgamma?: Tensor | undefined;
  readonly dbeta?: Tensor | undefined;
}

type Presence = Pick<NormalizeAttributes, 'scale' | 'center'>;

/** gamma and beta, those that are there. */
export function packParameters({gamma, beta}: Parameters): Tensor[] {
  return present([gamma, beta]);
}

/** What {@link packParameters} packed, by name. */
export function unpackParameters(
  packed: readonly Tensor[],
  {scale, center}: Presence,
): Parameters {
  const [gamma, beta] = takeTurns(packed, [scale, center]);
  return {gamma, beta};
}

/** The inputs of NormalizeGrad, those that are there. */
export function packGradInputs(inputs: GradInputs): Tensor[] {
  const {dy, dmean, dvariance, x, mean, variance, gamma} = inputs;
  return present([dy, dmean, dvariance, x, mean, variance, gamma]);
}

/** What {@link packGradInputs} packed, by name. */
export function unpackGradInputs(
  packed: readonly Tensor[],
  {statistics, scale}: NormalizeGradAttributes,
): GradInputs {
  const [dy, dmean, dvariance, x, mean, variance, gamma] = takeTurns(packed, [
    true,
    statistics,
    statistics,
    true,
    true,
    true,
    scale,
  ]);
  return {
    dy: required(dy),
    dmean,
    dvariance,
    x: required(x),
    mean: required(mean),
    variance: required(variance),
    gamma,
  };
}

/** The outputs of NormalizeGrad, those that are there. */
export function packGradients({dx, dgamma, dbeta}: Gradients): Tensor[] {
  return present([dx, dgamma, dbeta]);
}

/** What {@link packGradients} packed, by name. */
export function unpackGradients(
  [dx, ...parameters]: readonly Tensor[],
  presence: Presence,
): Gradients {
  const {gamma: dgamma, beta: dbeta} = unpackParameters(parameters, presence);
  return {dx: required(dx), dgamma, dbeta};
}

/** A tensor that the contract promises. */
export function required(tensor: Tensor | undefined): Tensor {
  if (tensor === undefined)
    throw new Error('a kernel lacks one of its tensors');
  return tensor;
}

function present(tensors: ReadonlyArray<Tensor | undefined>): Tensor[] {
  return tensors.filter((tensor) => tensor !== undefined);
}

/** The packed tensors, one by one, to the places where one is. */
function takeTurns(
  packed: readonly Tensor[],
  places: readonly boolean[],
): Array<Tensor | undefined> {
  const queue = [...packed];
  return places.map((taken) => (taken ? required(queue.shift()) : undefined));
}
