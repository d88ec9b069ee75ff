import type {Tensor, TensorInfo} from '@tensorflow/tfjs-core';

/*
 * The contract between ops and backends: the kernels' names, what they take and what they
 * give, and what a backend brings. A kernel takes its tensors as an array, without those
 * that are absent (tfjs looks for every key of a map, also for one that is undefined);
 * attributes say which are there. The order stands here alone.
 */

/**
 * A tensor read, without copying, as row-major `[batch, outer, group, channel,
 * inner]`. Statistics are kept per `(batch, group)` and reduced over `(outer,
 * channel, inner)`; gamma and beta are indexed by `(group, channel)`.
 */
export interface View {
  readonly batch: number;
  readonly outer: number;
  readonly group: number;
  readonly channel: number;
  readonly inner: number;
  /**
   * If true, gamma and beta are indexed by `outer` instead, as in layer normalization over
   * axes before the last. Defaults to false.
   */
  readonly perOuter?: boolean | undefined;
}

/** The number of values that each statistic of a view is computed from. */
export function valuesPerStatistic(view: View): number {
  return view.outer * view.channel * view.inner;
}

/** The number of means, and of variances, of a view. */
export function statisticsCount(view: View): number {
  return view.batch * view.group;
}

/** The number of values of gamma, and of beta, of a view. */
export function parametersCount(view: View): number {
  return view.perOuter ? view.outer : view.group * view.channel;
}

/** The number of values that the gradient of each parameter is computed from. */
export function valuesPerParameter(view: View): number {
  return viewSize(view) / parametersCount(view);
}

/** The number of values of a tensor of this view. */
export function viewSize(view: View): number {
  return statisticsCount(view) * valuesPerStatistic(view);
}

/**
 * `[x, gamma?, beta?] → [y, mean, variance, ...kept]`, with
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`.
 *
 * The variance is biased. y has x's shape; mean and variance have
 * `batch · group` values, in a shape of the kernel's choosing. Not centred, mean
 * is zeros and variance the mean of the squares. `kept` is what the kernel leaves for its
 * gradient: a few tensors where one is recorded, and none as a rule.
 */
export const NORMALIZE = 'TfjsNormalization/Normalize';

/**
 * `[dy, dmean?, dvariance?, x, mean, variance, gamma?, ...kept] → [dx, dgamma?, dbeta?]`:
 * the gradient of Normalize or, where the statistics are `given`, of
 * ApplyStatistics in x, gamma and beta. dgamma and dbeta have `group · channel`
 * values, in a shape of the kernel's choosing.
 */
export const NORMALIZE_GRAD = 'TfjsNormalization/NormalizeGrad';

/** `[x, mean, variance, gamma?, beta?] → y`: Normalize with known statistics. */
export const APPLY_STATISTICS = 'TfjsNormalization/ApplyStatistics';

/**
 * `{movingMean, movingVariance, mean, variance, rate} → [movingMean,
 * movingVariance]`, each `old · (1 − rate) + new · rate`. A channel whose new mean or
 * variance is not finite keeps both old values. `rate` is a scalar.
 */
export const MOVING_STATISTICS = 'TfjsNormalization/MovingStatistics';

/** Attributes of Normalize and ApplyStatistics. */
export interface NormalizeAttributes {
  readonly view: View;
  /** Added to the variance before its root is taken. */
  readonly epsilon: number;
  /** If true, the mean is subtracted; if not, this is RMS normalization. */
  readonly subtractMean: boolean;
  /** If true, the inputs carry a gamma. */
  readonly scale: boolean;
  /** If true, the inputs carry a beta. */
  readonly center: boolean;
  /**
   * If true, gradients flow through the mean and the variance that Normalize
   * returns. Layers only watch them, and a backend saves itself the work.
   */
  readonly differentiableStatistics: boolean;
  /** If true, a gradient may be asked for, once. If not, nothing is kept. */
  readonly recorded?: boolean | undefined;
}

/** Attributes of NormalizeGrad. */
export interface NormalizeGradAttributes extends NormalizeAttributes {
  /** The mean and variance are constants, not functions of x. */
  readonly given: boolean;
}

/** gamma and beta, where a layer has them. */
export interface Parameters<T = Tensor> {
  readonly gamma?: T | undefined;
  readonly beta?: T | undefined;
}

/** Tensors that a backend's Normalize leaves for its NormalizeGrad. */
export interface Kept<T = Tensor> {
  /** The backend's word for them. The registry carries it from one to the other. */
  readonly tag?: string | undefined;
  readonly tensors: readonly T[];
}

/** The outputs of Normalize. */
export interface Normalized<T = Tensor> {
  /** The normalized values, in the shape of the input. */
  readonly y: T;
  /** The mean of each statistic. */
  readonly mean: T;
  /** The biased variance of each statistic. */
  readonly variance: T;
  /** @internal For the backend's own NormalizeGrad. */
  readonly kept?: Kept<T> | undefined;
}

/** The inputs of NormalizeGrad. */
export interface GradInputs<T = Tensor> {
  readonly dy: T;
  readonly dmean?: T | undefined;
  readonly dvariance?: T | undefined;
  readonly x: T;
  readonly mean: T;
  readonly variance: T;
  readonly gamma?: T | undefined;
  /** Left by Normalize. */
  readonly kept?: Kept<T> | undefined;
}

/** The outputs of NormalizeGrad. */
export interface Gradients<T = Tensor> {
  readonly dx: T;
  readonly dgamma?: T | undefined;
  readonly dbeta?: T | undefined;
}

/** The inputs of MovingStatistics. */
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

/** The inverse of {@link packParameters}. */
export function unpackParameters<T>(
  packed: readonly T[],
  {scale, center}: Presence,
): Parameters<T> {
  const [gamma, beta] = takeTurns(packed, [scale, center]);
  return {gamma, beta};
}

/** The tensors saved for the gradient of Normalize: its inputs, and its outputs without y. */
export function unpackSaved<T>(
  [x, ...others]: readonly T[],
  presence: Presence,
): Parameters<T> & Omit<GradInputs<T>, 'dy'> {
  const {scale, center} = presence;
  const parameters = [scale, center].filter(Boolean).length;
  const [mean, variance, ...tensors] = others.slice(parameters);
  return {
    x: required(x),
    mean: required(mean),
    variance: required(variance),
    kept: {tensors},
    ...unpackParameters(others, presence),
  };
}

/** The inputs of NormalizeGrad, those that are there. */
export function packGradInputs<T>(inputs: GradInputs<T>): T[] {
  const {dy, dmean, dvariance, x, mean, variance, gamma, kept} = inputs;
  const known = [dy, dmean, dvariance, x, mean, variance, gamma];
  return [...present(known), ...(kept?.tensors ?? [])];
}

/** The inverse of {@link packGradInputs}. */
export function unpackGradInputs<T>(
  packed: readonly T[],
  {differentiableStatistics, scale}: NormalizeGradAttributes,
): GradInputs<T> {
  const flows = differentiableStatistics;
  const places = [true, flows, flows, true, true, true, scale];
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
    kept: {tensors: packed.slice(places.filter(Boolean).length)},
  };
}

/** The outputs of NormalizeGrad, those that are there. */
export function packGradients<T>({dx, dgamma, dbeta}: Gradients<T>): T[] {
  return present([dx, dgamma, dbeta]);
}

/** The inverse of {@link packGradients}. */
export function unpackGradients<T>(
  [dx, ...parameters]: readonly T[],
  presence: Presence,
): Gradients<T> {
  const {gamma: dgamma, beta: dbeta} = unpackParameters(parameters, presence);
  return {dx: required(dx), dgamma, dbeta};
}

/** A tensor that the contract promises. */
export function required<T>(tensor: T | undefined): T {
  if (tensor === undefined) throw new Error('a kernel lacks a tensor');
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
  let next = 0;
  return places.map((taken) => (taken ? required(packed[next++]) : undefined));
}

/**
 * The four kernels as functions, without tfjs's packing.
 *
 * @typeParam T What stands for a tensor: a Tensor, or a backend's own record of it.
 */
export interface Implementation<T> {
  normalize(
    x: T,
    parameters: Parameters<T>,
    attributes: NormalizeAttributes,
  ): Normalized<T>;
  applyStatistics(
    x: T,
    mean: T,
    variance: T,
    parameters: Parameters<T>,
    attributes: NormalizeAttributes,
  ): T;
  normalizeGrad(
    inputs: GradInputs<T>,
    attributes: NormalizeGradAttributes,
  ): Gradients<T>;
  movingStatistics(inputs: MovingInputs<T>): [T, T];
}

/**
 * The kernels of a backend that compute faster than its core ops: all or some of them. A
 * kernel gives undefined where a view does not fit it; then the composed one runs.
 */
export type Fused<T> = {
  [Name in keyof Implementation<T>]?: (
    ...args: FunctionArguments<Implementation<T>[Name]>
  ) => ReturnType<Implementation<T>[Name]> | undefined;
};

type FunctionArguments<F> = F extends (...args: infer Arguments) => unknown
  ? Arguments
  : never;

/** A backend of tfjs, as this package knows it: one file or folder of `backends/`. */
export interface Backend {
  /** Its name in tfjs. */
  readonly name: string;
  /**
   * Makes the fused kernels of an instance. Without it the composed kernels run.
   *
   * @throws Error if the instance is not as expected; one warning then says why, and the
   *   composed kernels run.
   */
  readonly make?: (instance: object) => Fused<TensorInfo>;
  /**
   * The flag that lets it compute small tensors in main memory, where roundings differ.
   * Defaults to none.
   */
  readonly hostFlag?: string;
  /**
   * If true, its fused kernels take views with `perOuter`. If not, such a layer's
   * parameters are applied in a second view. Defaults to false.
   */
  readonly takesPerOuter?: true;
}
