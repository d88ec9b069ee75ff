import type {NormalizeAttributes, NormalizeGradAttributes} from './contract.js';
import type {
  GradInputs,
  Gradients,
  MovingInputs,
  Normalized,
  Parameters,
} from './packing.js';

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
 * The kernels of a backend that compute faster than its core ops: all or some of
 * them. One gives undefined where a view does not fit it; then the composed one runs.
 */
export type Fused<T> = {
  [Name in keyof Implementation<T>]?: (
    ...args: FunctionArguments<Implementation<T>[Name]>
  ) => ReturnType<Implementation<T>[Name]> | undefined;
};

type FunctionArguments<F> = F extends (...args: infer Arguments) => unknown
  ? Arguments
  : never;
