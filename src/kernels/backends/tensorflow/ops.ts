import {
  scalar,
  type Tensor,
  tensor,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import {blockedSum, divisorNear, TWO_LEVELS} from '../../blocked_mean.js';
import {required} from '../../contract.js';
import type {OpAttribute, OpRunner} from '../../tfjs_private.js';
import {lastOf} from '../../../util/at.js';

export const FLOAT = {type: 'float'} as const;
const INT32 = {type: 'int32'} as const;

/**
 * TensorFlow adds up the values of a sum one after the other. Up to so many, that costs
 * 1e-6 of a variance as a rule. More are summed in blocks.
 */
export const MOST_VALUES = 32_768;

/** A running sum of so few values is nearly exact. */
const FEW_VALUES = 128;

/** From so many values on, a pass over them takes longer than some calls. */
export const MANY_VALUES = 2 ** 17;

/**
 * TensorFlow's ops by themselves. tfjs's own functions for them check and convert what
 * is known to be right here, which takes longer than a small op.
 */
export class TensorflowOps {
  /** To hand a small tensor over takes longer than a small op: one for each value. */
  private constants = new Map<string, Tensor>();

  constructor(readonly run: OpRunner) {}

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

  /**
   * The sum over axes, which stay with length one, of x or of its products with weights.
   *
   * Down a matrix, and with a weight for each of its columns, it is a product with a
   * vector: that takes TensorFlow half the time of its sum, and no temporary of x's size.
   */
  sum(x: Tensor, axes: readonly number[], weights?: Tensor): Tensor {
    if (weights === undefined) return this.sumOf(x, axes);
    const length = lengthOf(x, axes);
    const isLine = x.rank === 2 && axes.length === 1 && length <= MOST_VALUES;
    if (isLine && weights.size === length) {
      const isDown = axes[0] === 0;
      const vector = this.reshape(weights, isDown ? [1, length] : [length, 1]);
      return isDown ? this.matMul(vector, x) : this.matMul(x, vector);
    }
    const products = this.mul(x, weights);
    const total = this.sumOf(products, axes);
    products.dispose();
    return total;
  }

  /**
   * The mean over axes, which stay with length one. Along the rows of a matrix TensorFlow
   * sums in parts by itself; a product's roundings would depend on how many rows there
   * are.
   */
  mean(x: Tensor, axes: readonly number[]): Tensor {
    const length = lengthOf(x, axes);
    const isAlong = x.rank === 2 && axes.length === 1 && axes[0] === 1;
    return isAlong && length <= MOST_VALUES
      ? this.reduce('Mean', x, axes)
      : this.scale(this.sum(x, axes), 1 / length);
  }

  /** The mean of squares over axes, which stay with length one. */
  meanOfSquares(x: Tensor, axes: readonly number[]): Tensor {
    const length = lengthOf(x, axes);
    if (x.size < MANY_VALUES || length > MOST_VALUES) {
      const squares = this.square(x);
      const mean = this.mean(squares, axes);
      squares.dispose();
      return mean;
    }
    const root = this.reduce('EuclideanNorm', x, axes);
    return this.scale(this.square(root), 1 / length);
  }

  reshape(x: Tensor, shape: readonly number[]): Tensor {
    const same =
      x.rank === shape.length && x.shape.every((n, i) => n === shape[i]);
    if (same) return x;
    return this.one('Reshape', {T: FLOAT, Tshape: INT32}, [
      x,
      this.integers(shape),
    ]);
  }

  /** As {@link reshape}, where what broadcasts alike is good enough. */
  broadcast(x: Tensor, shape: readonly number[]): Tensor {
    return x.rank === 1 && lastOf(shape) === x.size
      ? x
      : this.reshape(x, shape);
  }

  /** The first values of x, so many along each axis. */
  first(x: Tensor, size: readonly number[]): Tensor {
    return this.part(x, new Array<number>(x.rank).fill(0), size);
  }

  /** Tells for each place if all values are finite: a condition for {@link select}. */
  areFinite(a: Tensor, b: Tensor): Tensor {
    const [left, right] = [a, b].map((x) =>
      this.one('IsFinite', {T: FLOAT}, [x]),
    ) as [Tensor, Tensor];
    return this.one('LogicalAnd', {}, [left, right]);
  }

  select(condition: Tensor, yes: Tensor, no: Tensor): Tensor {
    return this.one('Select', {T: FLOAT}, [condition, yes, no]);
  }

  /** `x · scale + shift`, of which one may be absent. */
  affine(
    x: Tensor,
    scale: Tensor | undefined,
    shift: Tensor | undefined,
  ): Tensor {
    if (scale === undefined) return shift ? this.add(x, shift) : x;
    const scaled = this.mul(x, scale);
    if (shift === undefined) return scaled;
    const y = this.add(scaled, shift);
    scaled.dispose();
    return y;
  }

  /** A tensor of one number. */
  filled(shape: readonly number[], value: number): Tensor {
    const length = shape.reduce((size, n) => size * n, 1);
    const make = (): Tensor =>
      tensor(new Float32Array(length).fill(value), [...shape]);
    return this.constant(`${value} [${shape.join()}]`, make);
  }

  /** One axis after the other, the last one first, so that no running sum is long. */
  private sumOf(x: Tensor, axes: readonly number[]): Tensor {
    const length = lengthOf(x, axes);
    const isOne = axes.length <= 1;
    if (isOne && axes[0] === 0 && x.rank > 1) {
      const sums = this.sumDown(this.reshape(x, [length, x.size / length]));
      return this.reshape(sums, [1, ...x.shape.slice(1)]);
    }
    const last = lastOf(axes) ?? 0;
    const isAlong = last === x.rank - 1 && lengthOf(x, [last]) <= MOST_VALUES;
    if (!isAlong && length > FEW_VALUES) return blockedSum(x, axes, true);
    if (!isAlong || isOne) return this.reduce('Sum', x, axes);
    return this.sumOf(this.reduce('Sum', x, [last]), axes.slice(0, -1));
  }

  /** The sum down a matrix, in levels of about the root of its length. */
  private sumDown(x: Tensor): Tensor {
    const [length = 1, width = 1] = x.shape;
    if (length <= FEW_VALUES) {
      return this.matMul(this.filled([1, length], 1), x);
    }
    const target = length > TWO_LEVELS ? Math.cbrt(length) : Math.sqrt(length);
    // Parts that are not whole rows of blocks have to be copied.
    const rows = divisorNear(length, Math.round(target)) ?? Math.round(target);
    const count = Math.floor(length / rows);
    const even = this.part(x, [0, 0], [rows * count, width]);
    // A row of each block beside another: any part of the rows makes a block.
    const wide = this.reshape(even, [rows, count * width]);
    const sums = this.matMul(this.filled([1, rows], 1), wide);
    const total = this.sumDown(this.reshape(sums, [count, width]));
    const rest = length - rows * count;
    if (rest === 0) return total;
    const tail = this.part(x, [rows * count, 0], [rest, width]);
    return this.add(total, this.sumDown(tail));
  }

  private part(
    x: Tensor,
    begin: readonly number[],
    size: readonly number[],
  ): Tensor {
    if (size.every((length, i) => length === x.shape[i])) return x;
    return this.one('Slice', {T: FLOAT, Index: INT32}, [
      x,
      this.integers(begin),
      this.integers(size),
    ]);
  }

  private matMul(a: Tensor, b: Tensor): Tensor {
    return this.one(
      'MatMul',
      {T: FLOAT, transpose_a: false, transpose_b: false},
      [a, b],
    );
  }

  private reduce(op: string, x: Tensor, axes: readonly number[]): Tensor {
    return this.one(op, {T: FLOAT, Tidx: INT32, keep_dims: true}, [
      x,
      this.integers(axes),
    ]);
  }

  private number(value: number): Tensor {
    return this.constant(`${value}`, () => scalar(value));
  }

  private integers(values: readonly number[]): Tensor {
    const make = (): Tensor => tensor1d([...values], 'int32');
    return this.constant(`[${values.join()}]`, make);
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

function lengthOf(x: Tensor, axes: readonly number[]): number {
  return axes.reduce((length, axis) => length * (x.shape[axis] ?? 1), 1);
}
