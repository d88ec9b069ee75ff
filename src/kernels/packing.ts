import type {Tensor} from '@tensorflow/tfjs-core';
import type {NormalizeAttributes, NormalizeGradAttributes} from './contract.js';

/*
 * The kernels take tensors as an array, without those that are absent: tfjs
 * looks for every key of a map, also for one that is undefined. The attributes
 * say which are there. This is the one place that knows the order.
 */

/** gamma and beta, where a layer has them. */
export interface Parameters<T = Tensor> {
  readonly gamma?: T | undefined;
  readonly beta?: T | undefined;
}

/** What Normalize returns. */
export interface Normalized<T = Tensor> {
  readonly y: T;
  readonly mean: T;
  readonly variance: T;
  /** For the backend's own NormalizeGrad. */
  readonly kept?: readonly T[] | undefined;
}

/** What NormalizeGrad takes. */
export interface GradInputs<T = Tensor> {
  readonly dy: T;
  readonly dmean?: T | undefined;
  readonly dvariance?: T | undefined;
  readonly x: T;
  readonly mean: T;
  readonly variance: T;
  readonly gamma?: T | undefined;
  /** What Normalize kept. */
  readonly kept?: readonly T[] | undefined;
}

/** What NormalizeGrad returns. */
export interface Gradients<T = Tensor> {
  readonly dx: T;
  readonly dgamma?: T | undefined;
  readonly dbeta?: T | undefined;
}

/** What MovingStatistics takes. */
export interface MovingInputs<T = Tensor> {
  readonly movingMean: T;
  readonly movingVariance: T;
  readonly mean: T;
  readonly variance: T;
  /** A scalar. */
  readonly rate: T;
}

type Presence = Pick<NormalizeAttributes, 'scale' | 'center'>;

/** gamma and beta, those that are there. */
export function packParameters<T>({gamma, beta}: Parameters<T>): T[] {
  return present([gamma, beta]);
}

/** What {@link packParameters} packed, by name. */
export function unpackParameters<T>(
  packed: readonly T[],
  {scale, center}: Presence,
): Parameters<T> {
  const [gamma, beta] = takeTurns(packed, [scale, center]);
  return {gamma, beta};
}

/** What a gradient of Normalize has: its inputs, and its outputs without y. */
export function unpackSaved<T>(
  [x, ...others]: readonly T[],
  presence: Presence,
): Parameters<T> & Omit<GradInputs<T>, 'dy'> {
  const {scale, center} = presence;
  const [mean, variance, ...kept] = others.slice(+scale + +center);
  return {
    x: required(x),
    mean: required(mean),
    variance: required(variance),
    kept,
    ...unpackParameters(others, presence),
  };
}

/** The inputs of NormalizeGrad, those that are there. */
export function packGradInputs<T>(inputs: GradInputs<T>): T[] {
  const {dy, dmean, dvariance, x, mean, variance, gamma, kept = []} = inputs;
  return present([dy, dmean, dvariance, x, mean, variance, gamma, ...kept]);
}

/** What {@link packGradInputs} packed, by name. */
export function unpackGradInputs<T>(
  packed: readonly T[],
  {statistics, scale}: NormalizeGradAttributes,
): GradInputs<T> {
  const places = [true, statistics, statistics, true, true, true, scale];
  const [dy, dmean, dvariance, x, mean, variance, gamma] = takeTurns(
    packed,
    places,
  );
  return {
    dy: required(dy),
    dmean,
    dvariance,
    x: required(x),
    mean: required(mean),
    variance: required(variance),
    gamma,
    kept: packed.slice(places.filter(Boolean).length),
  };
}

/** The outputs of NormalizeGrad, those that are there. */
export function packGradients<T>({dx, dgamma, dbeta}: Gradients<T>): T[] {
  return present([dx, dgamma, dbeta]);
}

/** What {@link packGradients} packed, by name. */
export function unpackGradients<T>(
  [dx, ...parameters]: readonly T[],
  presence: Presence,
): Gradients<T> {
  const {gamma: dgamma, beta: dbeta} = unpackParameters(parameters, presence);
  return {dx: required(dx), dgamma, dbeta};
}

/** A tensor that the contract promises. */
export function required<T>(tensor: T | undefined): T {
  if (tensor === undefined)
    throw new Error('a kernel lacks one of its tensors');
  return tensor;
}

function present<T>(tensors: ReadonlyArray<T | undefined>): T[] {
  return tensors.filter((tensor) => tensor !== undefined);
}

/** The packed tensors, one by one, to the places where one is. */
function takeTurns<T>(
  packed: readonly T[],
  places: readonly boolean[],
): Array<T | undefined> {
  const queue = [...packed];
  return places.map((taken) => (taken ? required(queue.shift()) : undefined));
}
