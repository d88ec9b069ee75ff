import {scalar, type Tensor, tensor1d} from '@tensorflow/tfjs-core';
import {required} from './packing.js';
import type {OpAttribute, OpRunner} from './tfjs_private.js';

const FLOAT = {type: 'float'} as const;
const INT32 = {type: 'int32'} as const;

/** The axes of a statistic, and how its values are laid out. */
export interface BatchNormLayout {
  readonly format: 'NHWC' | 'NCHW';
  readonly epsilon: number;
}

/**
 * TensorFlow's ops by themselves. tfjs's own functions for them check and convert what
 * is known to be right here, which takes longer than a small op.
 */
export class TensorflowOps {
  constructor(private readonly run: OpRunner) {}

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
    return this.mul(a, scalar(factor));
  }

  square(x: Tensor): Tensor {
    return this.one('Square', {T: FLOAT}, [x]);
  }

  /** `1 / sqrt(x + epsilon)` */
  inverseRoot(x: Tensor, epsilon: number): Tensor {
    return this.one('Rsqrt', {T: FLOAT}, [this.add(x, scalar(epsilon))]);
  }

  /** The mean over axes, which stay with length one. */
  mean(x: Tensor, axes: readonly number[]): Tensor {
    return this.one('Mean', {T: FLOAT, Tidx: INT32, keep_dims: true}, [
      x,
      tensor1d([...axes], 'int32'),
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
    const lengths = tensor1d([...shape], 'int32');
    return this.one('Reshape', {T: FLOAT, Tshape: INT32}, [x, lengths]);
  }

  /** The first values of x, so many along each axis. */
  first(x: Tensor, size: readonly number[]): Tensor {
    return this.one('Slice', {T: FLOAT, Index: INT32}, [
      x,
      tensor1d(new Array<number>(x.rank).fill(0), 'int32'),
      tensor1d([...size], 'int32'),
    ]);
  }

  /** `no` where the difference of a value with itself is not 0, as with NaN. */
  selectFinite(values: readonly Tensor[], yes: Tensor, no: Tensor): Tensor {
    const finite = values.map((x) => this.one('IsFinite', {T: FLOAT}, [x]));
    const usable = finite.reduce((a, b) => this.one('LogicalAnd', {}, [a, b]));
    return this.one('Select', {T: FLOAT}, [usable, yes, no]);
  }

  /** FusedBatchNormV3 with the batch's statistics; the variance is biased. */
  batchNorm(
    [x, gamma, beta]: readonly [Tensor, Tensor, Tensor],
    layout: BatchNormLayout,
  ): {y: Tensor; mean: Tensor; variance: Tensor} {
    const none = tensor1d([]);
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
      [...inputs, tensor1d([])],
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
