import {scalar, type Tensor, tensor1d, tidy} from '@tensorflow/tfjs-core';
import {required} from './packing.js';
import type {OpAttribute, OpRunner} from './tfjs_private.js';

const FLOAT = {type: 'float'} as const;
const INT32 = {type: 'int32'} as const;

/** Where the features are in a tensor, and what is added to the variance. */
export interface BatchNormLayout {
  readonly format: 'NHWC' | 'NCHW';
  readonly epsilon: number;
}

/**
 * TensorFlow's ops by themselves. tfjs's own functions for them check and convert what
 * is known to be right here, which takes longer than a small op.
 */
export class TensorflowOps {
  /** To hand a small tensor over takes longer than a small op: one for each value. */
  private constants = new Map<string, Tensor>();

  constructor(private readonly run: OpRunner) {}

  /** Runs a kernel, and frees what it made beside its result. */
  tidy<Result extends object>(kernel: () => Result): Result {
    this.constants = new Map();
    return tidy(() => ({...kernel()}) as never);
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.one('AddV2', {T: FLOAT}, [a, b]);
  }

  sub(a: Tensor, b: Tensor): Tensor {
    return this.one('Sub', {T: FLOAT}, [a, b]);
  }

  mul(a: Tensor, b: Tensor): Tensor {
    return this.one('Mul', {T: FLOAT}, [a, b]);
  }

  scale(a: Tensor, factor: number): Tensor {
    return this.mul(a, this.number(factor));
  }

  square(x: Tensor): Tensor {
    return this.one('Square', {T: FLOAT}, [x]);
  }

  /** `1 / sqrt(x + epsilon)` */
  inverseRoot(x: Tensor, epsilon: number): Tensor {
    return this.one('Rsqrt', {T: FLOAT}, [this.add(x, this.number(epsilon))]);
  }

  /** The mean over axes. They stay with length one, or go. */
  mean(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
    return this.one('Mean', {T: FLOAT, Tidx: INT32, keep_dims: keepDims}, [
      x,
      this.integers(axes),
    ]);
  }

  /** The product of two matrices, the first one transposed where it says so. */
  matMul(a: Tensor, b: Tensor, transposed = false): Tensor {
    return this.one(
      'MatMul',
      {T: FLOAT, transpose_a: transposed, transpose_b: false},
      [a, b],
    );
  }

  reshape(x: Tensor, shape: readonly number[]): Tensor {
    const same =
      x.rank === shape.length && x.shape.every((n, i) => n === shape[i]);
    if (same) return x;
    const extra = x.rank - shape.length;
    const leadingOnes =
      extra > 0 &&
      x.shape.every((n, i) => n === (i < extra ? 1 : shape[i - extra]));
    if (leadingOnes) {
      const integers = [...new Array(extra).keys()];
      return this.one('Squeeze', {T: FLOAT, squeeze_dims: {integers}}, [x]);
    }
    return this.one('Reshape', {T: FLOAT, Tshape: INT32}, [
      x,
      this.integers(shape),
    ]);
  }

  /** The first values of x, so many along each axis. */
  first(x: Tensor, size: readonly number[]): Tensor {
    return this.one('Slice', {T: FLOAT, Index: INT32}, [
      x,
      this.integers(new Array<number>(x.rank).fill(0)),
      this.integers(size),
    ]);
  }

  /** Where all of the values are finite: a condition for {@link select}. */
  areFinite(a: Tensor, b: Tensor): Tensor {
    const [left, right] = [a, b].map((x) =>
      this.one('IsFinite', {T: FLOAT}, [x]),
    ) as [Tensor, Tensor];
    return this.one('LogicalAnd', {}, [left, right]);
  }

  select(condition: Tensor, yes: Tensor, no: Tensor): Tensor {
    return this.one('Select', {T: FLOAT}, [condition, yes, no]);
  }

  /** FusedBatchNormV3 with the batch's statistics; the variance is biased. */
  batchNorm(
    [x, gamma, beta]: readonly [Tensor, Tensor, Tensor],
    layout: BatchNormLayout,
  ): {y: Tensor; mean: Tensor; variance: Tensor} {
    const none = this.nothing();
    const outputs = this.fused([x, gamma, beta, none, none], layout, true);
    // The second and third are for moving statistics, with Bessel's correction.
    const [y, , , mean, variance] = outputs.map(required);
    return {
      y: required(y),
      mean: required(mean),
      variance: required(variance),
    };
  }

  /** FusedBatchNormV3 with statistics that are known. */
  applyBatchNorm(
    inputs: readonly [
      x: Tensor,
      gamma: Tensor,
      beta: Tensor,
      mean: Tensor,
      variance: Tensor,
    ],
    layout: BatchNormLayout,
  ): Tensor {
    return required(this.fused(inputs, layout, false)[0]);
  }

  /** FusedBatchNormGradV3: the gradients of x, gamma and beta. */
  batchNormGrad(
    inputs: readonly [
      dy: Tensor,
      x: Tensor,
      gamma: Tensor,
      mean: Tensor,
      variance: Tensor,
    ],
    layout: BatchNormLayout,
    given: boolean,
  ): {dx: Tensor; dgamma: Tensor; dbeta: Tensor} {
    const outputs = this.run(
      'FusedBatchNormGradV3',
      attributesOf(layout, !given),
      [...inputs, this.nothing()],
      5,
    );
    const [dx, dgamma, dbeta] = outputs;
    return {
      dx: required(dx),
      dgamma: required(dgamma),
      dbeta: required(dbeta),
    };
  }

  private fused(
    inputs: readonly Tensor[],
    layout: BatchNormLayout,
    training: boolean,
  ): Tensor[] {
    const attributes = {
      ...attributesOf(layout, training),
      exponential_avg_factor: 1,
    };
    return this.run('FusedBatchNormV3', attributes, inputs, 6);
  }

  private number(value: number): Tensor {
    return this.constant(`${value}`, () => scalar(value));
  }

  private integers(values: readonly number[]): Tensor {
    const make = (): Tensor => tensor1d([...values], 'int32');
    return this.constant(`[${values.join()}]`, make);
  }

  private nothing(): Tensor {
    return this.constant('nothing', () => tensor1d([]));
  }

  private constant(key: string, make: () => Tensor): Tensor {
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.constants.set(key, made);
    return made;
  }

  private one(
    op: string,
    attributes: Readonly<Record<string, OpAttribute>>,
    inputs: readonly Tensor[],
  ): Tensor {
    return required(this.run(op, attributes, inputs, 1)[0]);
  }
}

function attributesOf(
  {format, epsilon}: BatchNormLayout,
  training: boolean,
): Record<string, OpAttribute> {
  return {
    T: FLOAT,
    U: FLOAT,
    epsilon,
    data_format: format,
    is_training: training,
  };
}
