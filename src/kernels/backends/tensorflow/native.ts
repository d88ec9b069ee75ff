import {ones, type Tensor, tidy} from '@tensorflow/tfjs-core';
import {
  type Fused,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  packGradInputs,
  packParameters,
  required,
  type View,
  viewSize,
} from '../../contract.js';
import type {PreparedOp, PreparedOps} from '../../tfjs_private.js';

/*
 * Kernels by the ops of tfjs-normalization-native: each is one op, whatever the view. The ops'
 * inputs, attributes and outputs are described in its src/kernels.c.
 */

/** Flags of the ops, as their attribute `view` has them last. */
const SCALE = 1;
const CENTER = 2;
const CENTERED = 4;
const GIVEN = 8;
const STATISTICS = 16;

/** tfjs-node hands integers over in 32 bits. */
const MOST_VALUES = 2 ** 31 - 1;

/** Programs with shapes without end keep no more attributes than this. */
const MOST_PREPARED = 1000;

/**
 * Makes the kernels.
 *
 * @throws Error if TensorFlow does not know the ops.
 */
export function nativeKernels(ops: PreparedOps): Fused<Tensor> {
  const known = new Map<string, PreparedOp>();

  /** TensorFlow keeps a kernel for each set of attributes: one serves all batch sizes. */
  const prepare = (
    op: string,
    inputs: number,
    {batch, outer, group, channel, inner}: View,
    flags: number,
    epsilon: number,
  ): PreparedOp => {
    const isOne = batch === 1;
    const rows = isOne ? -1 : outer;
    const key = `${op} ${inputs} ${isOne} ${rows} ${group} ${channel} ${inner} ${flags} ${epsilon}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const view = [isOne ? 1 : -1, rows, group, channel, inner, flags];
    const made = ops.prepare(`TfjsNormalizationV1${op}`, {
      N: {integer: inputs},
      view: {integers: view},
      epsilon,
    });
    if (known.size >= MOST_PREPARED) known.clear();
    known.set(key, made);
    return made;
  };

  const moving = prepare(
    'MovingStatistics',
    5,
    {batch: 1, outer: 1, group: 1, channel: 1, inner: 1},
    0,
    0,
  );
  // A process may hold a second TensorFlow, which has them.
  tidy(() => {
    const one = ones([1]);
    ops.run(moving, [one, one, one, one, one], 2);
  });
  return {
    normalize(x, parameters, attributes) {
      if (!fits(attributes)) return undefined;
      const inputs = [x, ...packParameters(parameters)];
      const {view, epsilon} = attributes;
      const flags = flagsOf(attributes);
      const op = prepare('Normalize', inputs.length, view, flags, epsilon);
      const [y, mean, variance] = ops.run(op, inputs, 3);
      return {
        y: required(y),
        mean: required(mean),
        variance: required(variance),
      };
    },

    applyStatistics(x, mean, variance, parameters, attributes) {
      if (!fits(attributes)) return undefined;
      const inputs = [x, mean, variance, ...packParameters(parameters)];
      const {view, epsilon} = attributes;
      const flags = flagsOf(attributes);
      const op = prepare(
        'ApplyStatistics',
        inputs.length,
        view,
        flags,
        epsilon,
      );
      return required(ops.run(op, inputs, 1)[0]);
    },

    normalizeGrad(named, attributes) {
      if (!fits(attributes)) return undefined;
      const inputs = packGradInputs({...named, kept: undefined});
      const {view, epsilon, scale, center, given} = attributes;
      const flows = named.dmean !== undefined;
      const flags =
        flagsOf(attributes) | (given ? GIVEN : 0) | (flows ? STATISTICS : 0);
      const op = prepare('NormalizeGrad', inputs.length, view, flags, epsilon);
      const [dx, dgamma, dbeta] = ops.run(op, inputs, 3);
      // The op gives an empty one in the place of each that is absent.
      if (!scale) dgamma?.dispose();
      if (!center) dbeta?.dispose();
      return {
        dx: required(dx),
        dgamma: scale ? dgamma : undefined,
        dbeta: center ? dbeta : undefined,
      };
    },

    movingStatistics({movingMean, movingVariance, mean, variance, rate}) {
      const inputs = [movingMean, movingVariance, mean, variance, rate];
      const [nextMean, nextVariance] = ops.run(moving, inputs, 2);
      return [required(nextMean), required(nextVariance)];
    },
  };
}

function flagsOf({scale, center, subtractMean}: NormalizeAttributes): number {
  return (
    (scale ? SCALE : 0) | (center ? CENTER : 0) | (subtractMean ? CENTERED : 0)
  );
}

function fits({view}: NormalizeAttributes | NormalizeGradAttributes): boolean {
  return viewSize(view) <= MOST_VALUES;
}
