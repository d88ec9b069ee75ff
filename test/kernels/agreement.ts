// Compares the running backend's kernels with the oracle in float64.
import * as tf from '@tensorflow/tfjs';
import {
  APPLY_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
  type NormalizeAttributes,
  packGradInputs,
  packParameters,
  parametersCount,
  statisticsCount,
  unpackGradients,
  viewSize,
} from '../../src/kernels/contract.js';
import {runKernel} from '../../src/ops/run_kernel.js';
import {applyStatistics, normalize, normalizeGrad} from '../oracle/view.js';
import {expectClose} from '../support/close.js';
import {magnitude, randomTensor, valuesOf} from '../support/tensors.js';
import {type Case, dataOf} from './views.js';

export const attributesOf = (options: Case): NormalizeAttributes => {
  const {view, epsilon, subtractMean, scale, center} = options;
  const {differentiableStatistics} = options;
  return {
    ...{view, epsilon, subtractMean, scale, center},
    differentiableStatistics,
  };
};

/** The sizes of the normalized values and of their factors. */
function scales(
  x: number[],
  {mean, variance}: {mean: Float64Array; variance: Float64Array},
  options: Case,
  gamma: number[],
): {normalized: number; inverse: number; gamma: number} {
  const {view, epsilon, center, scale} = options;
  const plain = applyStatistics(x, {mean, variance}, view, {
    epsilon,
    subtractMean: options.subtractMean,
  });
  return {
    // At least one rounding of one deviation, the precision of x itself.
    normalized: Math.max(1, magnitude(Array.from(plain))) + (center ? 4 : 0),
    inverse: Math.max(...variance.map((v) => 1 / Math.sqrt(v + epsilon))),
    gamma: scale ? magnitude(gamma) : 1,
  };
}

/**
 * Expects Normalize to agree with the oracle.
 *
 * @param more Roundings beyond those of sums in blocks.
 */
export async function expectNormalized(options: Case, more = 0): Promise<void> {
  const {x, gamma, beta} = dataOf(options);
  const {view, subtractMean, epsilon, scale, center} = options;
  const present = {
    gamma: scale ? gamma : undefined,
    beta: center ? beta : undefined,
  };
  const expected = normalize(x.values, view, {
    epsilon,
    subtractMean,
    gamma: present.gamma?.values,
    beta: present.beta?.values,
  });
  const [y, mean, variance] = runKernel(
    NORMALIZE,
    [
      x.tensor,
      ...packParameters({
        gamma: present.gamma?.tensor,
        beta: present.beta?.tensor,
      }),
    ],
    attributesOf(options),
  ) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const size = scales(x.values, expected, options, gamma.values);
  // x − mean, the mean of its squares, the root, gamma and beta take a few
  // roundings each; sums in two levels add the root of their length.
  await expectClose(y, expected.y, {
    what: 'y',
    roundings: 24 + more,
    scale: size.normalized * size.gamma,
    shape: x.tensor.shape,
  });
  await expectClose(mean, expected.mean, {
    what: 'mean',
    roundings: 8 + more,
    scale: magnitude(x.values),
  });
  await expectClose(variance, expected.variance, {
    what: 'variance',
    roundings: 24 + more,
    scale: Math.max(1, magnitude(Array.from(expected.variance))),
  });
  expect(Math.min(...valuesOf(variance))).toBeGreaterThanOrEqual(0);
}

/** Expects ApplyStatistics to agree with the oracle. */
export async function expectApplied(options: Case): Promise<void> {
  const {x, gamma, beta} = dataOf({...options, mean: 0});
  const {view, subtractMean, epsilon, scale, center, seed} = options;
  const mean = randomTensor([statisticsCount(view)], seed + 6);
  const variance = tf.abs(randomTensor([statisticsCount(view)], seed + 7));
  const statistics = {
    mean: Float64Array.from(valuesOf(mean)),
    variance: Float64Array.from(valuesOf(variance)),
  };
  const expected = applyStatistics(x.values, statistics, view, {
    epsilon,
    subtractMean,
    gamma: scale ? gamma.values : undefined,
    beta: center ? beta.values : undefined,
  });
  const parameters = packParameters({
    gamma: scale ? gamma.tensor : undefined,
    beta: center ? beta.tensor : undefined,
  });
  const [y] = runKernel(
    APPLY_STATISTICS,
    [x.tensor, mean, variance, ...parameters],
    attributesOf(options),
  );
  const size = scales(x.values, statistics, options, gamma.values);
  await expectClose(y as tf.Tensor, expected, {
    what: 'y',
    roundings: 8,
    scale: size.normalized * size.gamma,
    shape: x.tensor.shape,
  });
}

/** The gradients of a case, and the values they are computed from. */
export function expectedGradients(
  options: Case,
  {x, dy, gamma, dmean, dvariance}: ReturnType<typeof dataOf>,
  given: boolean,
): {
  /** If true, gradients flow through the mean and the variance. */
  flows: boolean;
  forward: ReturnType<typeof normalize>;
  /** The statistics, rounded to the kernel's float32. */
  rounded: {mean: Float32Array; variance: Float32Array};
  expected: ReturnType<typeof normalizeGrad>;
} {
  const {view, subtractMean, epsilon, scale} = options;
  const flows = options.differentiableStatistics && !given;
  const forward = normalize(x.values, view, {epsilon, subtractMean});
  const rounded = {
    mean: Float32Array.from(forward.mean),
    variance: Float32Array.from(forward.variance),
  };
  const expected = normalizeGrad(
    {
      dy: dy.values,
      dmean: flows ? dmean.values : undefined,
      dvariance: flows ? dvariance.values : undefined,
    },
    x.values,
    view,
    {
      epsilon,
      subtractMean,
      gamma: scale ? gamma.values : undefined,
      given: given ? rounded : undefined,
    },
  );
  return {flows, forward, rounded, expected};
}

/**
 * Expects NormalizeGrad to agree with the oracle.
 *
 * @param given If true, the statistics are constants.
 * @param recorded If true, it gets the tensors that Normalize keeps for it.
 * @param more Roundings beyond those of sums in blocks.
 */
export async function expectGradients(
  options: Case,
  {given, recorded}: {given: boolean; recorded: boolean},
  more = 0,
): Promise<void> {
  const {view, scale} = options;
  const data = dataOf(options);
  const {x, dy, gamma, dmean, dvariance} = data;
  const {flows, forward, rounded, expected} = expectedGradients(
    options,
    data,
    given,
  );
  const attributes = {
    ...attributesOf(options),
    center: true,
    differentiableStatistics: flows,
    given,
  };
  const [, , , ...kept] = recorded
    ? runKernel(
        NORMALIZE,
        [
          x.tensor,
          ...packParameters({gamma: scale ? gamma.tensor : undefined}),
        ],
        {...attributes, center: false, recorded},
      )
    : [];
  const outputs = runKernel(
    NORMALIZE_GRAD,
    packGradInputs({
      kept: {tensors: kept},
      dy: dy.tensor,
      dmean: flows ? dmean.tensor : undefined,
      dvariance: flows ? dvariance.tensor : undefined,
      x: x.tensor,
      mean: tf.tensor1d(rounded.mean),
      variance: tf.tensor1d(rounded.variance),
      gamma: scale ? gamma.tensor : undefined,
    }),
    attributes,
  );
  const {dx, dgamma, dbeta} = unpackGradients(outputs, attributes);
  const size = scales(x.values, forward, options, gamma.values);
  const flow = magnitude(dy.values) * size.gamma * size.inverse;
  const statisticsFlow = flows
    ? magnitude(dmean.values) +
      2 * magnitude(dvariance.values) * (size.normalized / size.inverse)
    : 0;
  await expectClose(dx, expected.dx, {
    what: 'dx',
    roundings: 32 + more,
    scale: flow * (1 + size.normalized) + statisticsFlow,
    shape: x.tensor.shape,
  });
  const along = viewSize(view) / Math.max(1, parametersCount(view));
  const sums = magnitude(dy.values) * Math.sqrt(along);
  if (scale) {
    await expectClose(dgamma as tf.Tensor, expected.dgamma, {
      what: 'dgamma',
      roundings: 32 + more,
      scale: sums * size.normalized,
    });
  }
  await expectClose(dbeta as tf.Tensor, expected.dbeta, {
    what: 'dbeta',
    roundings: 16 + more,
    scale: sums,
  });
}
