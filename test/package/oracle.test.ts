import type {View} from '../../src/kernels/contract.js';
import {
  batchNorm,
  batchNormGrad,
  type BatchNormOptions,
  layerNorm,
  layerNormGrad,
} from '../oracle/by_axes.js';
import {differences} from '../oracle/differences.js';
import {sumOf} from '../oracle/sums.js';
import {
  applyStatistics,
  normalize,
  normalizeGrad,
  statisticsGrad,
  type ViewOptions,
} from '../oracle/view.js';
import {expectCloseNow, FLOAT64_ROUNDING} from '../support/close.js';

const EPSILON = 1e-3;

describe('sums', () => {
  it('keep rounding errors', () => {
    // In plain float64 this is 0 (Neumaier's example).
    expect(sumOf([1, 1e100, 1, -1e100])).toBe(2);
    // 0.1 is 5.55e-18 more than a tenth: too little, even 200,000 times.
    expect(sumOf(Array<number>(200_000).fill(0.1))).toBe(20_000);
    expect(sumOf([])).toBe(0);
  });
});

describe('by hand', () => {
  it('layer norm of [1, 2, 3] and [10, 20, 30]', () => {
    const {y, mean, variance} = layerNorm([1, 2, 3, 10, 20, 30], [2, 3], {
      axis: -1,
      epsilon: 1,
      gamma: [1, 2, 3],
      beta: [0, 5, 0],
    });
    expect([...mean]).toEqual([2, 20]);
    // (1 + 0 + 1) / 3, and a hundred times that.
    expectEqual(variance, [2 / 3, 200 / 3]);
    const [near, far] = [Math.sqrt(5 / 3), Math.sqrt(203 / 3)];
    expectEqual(y, [-1 / near, 5, 3 / near, -10 / far, 5, 30 / far]);
  });

  it('batch norm of [1, 10], [3, 30], with its gradient', () => {
    const x = [1, 10, 3, 30];
    const options = {axis: -1, epsilon: 3, gamma: [2, 1], beta: [0, 7]};
    const {y, mean, variance, count} = batchNorm(x, [2, 2], options);
    expect([mean, variance, count].map((a) => [...a])).toEqual([
      [2, 20],
      [1, 100],
      [2, 2],
    ]);
    const far = 10 / Math.sqrt(103);
    expectEqual(y, [-1, 7 - far, 1, 7 + far]);
    // x̂ is ∓1/2, of a deviation of 2. With dy = [1, 0] for gamma = 2:
    // dx = ±2 (1 − 1/2 − 1/8) / 2 = ±3/8.
    const {dx, dgamma, dbeta} = batchNormGrad(
      {dy: [1, 0, 0, 0]},
      x,
      [2, 2],
      options,
    );
    expectEqual(dx, [3 / 8, 0, -3 / 8, 0]);
    expectEqual(dgamma, [-1 / 2, 0]);
    expectEqual(dbeta, [1, 0]);
  });

  it('batch norm with a mask counts only the values it keeps', () => {
    const {mean, variance, count, y} = batchNorm([1, NaN, 3, 4], [4, 1], {
      axis: -1,
      epsilon: EPSILON,
      mask: {values: [true, false, true, false], shape: [4]},
    });
    expect([mean, variance, count].map((a) => [...a])).toEqual([[2], [1], [2]]);
    // A masked NaN counts as 0, a masked 4 as 4.
    const deviation = Math.sqrt(1 + EPSILON);
    expectEqual(
      y,
      [-1, -2, 1, 2].map((value) => value / deviation),
    );
  });

  it('a feature that is all masked has statistics 0 and 0', () => {
    const x = [NaN, 1, NaN, 3];
    const mask = {values: [0, 1, 0, 1], shape: [2, 2]};
    const options = {axis: 1, epsilon: EPSILON, mask};
    const {mean, variance} = batchNorm(x, [2, 2, 1], options);
    expect([mean, variance].map((a) => [...a])).toEqual([
      [0, 2],
      [0, 1],
    ]);
    const dy = [0, 1, 0, 1];
    const {dx} = batchNormGrad({dy}, x, [2, 2, 1], options);
    expect([dx[0], dx[2]]).toEqual([0, 0]);
  });

  it('not centered: the mean of the squares', () => {
    const view = {batch: 1, outer: 1, group: 1, channel: 2, inner: 1};
    const options = {epsilon: 3.5, subtractMean: false, gamma: [1, 8]};
    const {y, mean, variance} = normalize([3, 4], view, options);
    expect([...mean, ...variance]).toEqual([0, 12.5]);
    expect([...y]).toEqual([3 / 4, 8]);
  });

  it('a large mean costs no precision', () => {
    const x = [0, 1, 2, 3].map((value) => 1e6 + value);
    const view = {batch: 1, outer: 1, group: 1, channel: 4, inner: 1};
    expectEqual(normalize(x, view, {epsilon: EPSILON}).variance, [1.25]);
  });

  it('an empty input gives an empty output', () => {
    const view = {batch: 1, outer: 0, group: 2, channel: 1, inner: 1};
    const {y, mean, variance} = normalize([], view, {epsilon: EPSILON});
    expect([y.length, ...mean, ...variance]).toEqual([0, 0, 0, 0, 0]);
    const {dgamma} = normalizeGrad({dy: []}, [], view, {epsilon: EPSILON});
    expect([...dgamma]).toEqual([0, 0]);
  });
});

interface Twins {
  name: string;
  shape: number[];
  axis: number | number[];
  layer: boolean;
  /** As `[batch, outer, group, channel, inner]`. */
  view: [number, number, number, number, number];
}

// The table in the description of View, as numbers.
const TWINS: Twins[] = [
  {
    name: 'batch norm, channels last',
    shape: [2, 3, 2, 4],
    axis: -1,
    layer: false,
    view: [1, 12, 4, 1, 1],
  },
  {
    name: 'batch norm, axis 1',
    shape: [2, 4, 3, 2],
    axis: 1,
    layer: false,
    view: [1, 2, 4, 1, 6],
  },
  {
    name: 'batch norm, axes 1 and 2',
    shape: [3, 2, 4, 2],
    axis: [2, 1],
    layer: false,
    view: [1, 3, 8, 1, 2],
  },
  {
    name: 'layer norm, axis -1',
    shape: [2, 3, 4],
    axis: -1,
    layer: true,
    view: [6, 1, 1, 4, 1],
  },
  {
    name: 'layer norm, all but the batch',
    shape: [2, 3, 2, 2],
    axis: [-1, 1, 2],
    layer: true,
    view: [2, 1, 1, 12, 1],
  },
];

describe.each(TWINS)(
  'the view and the axes agree: $name',
  ({shape, axis, layer, view: [batch, outer, group, channel, inner]}) => {
    const view = {batch, outer, group, channel, inner};
    const {x, dy, gamma, beta, dmean, dvariance} = numbersFor(view);
    const options = {axis, epsilon: EPSILON, gamma, beta};
    const upstream = {dy, dmean, dvariance};

    it('forward', () => {
      const found = (layer ? layerNorm : batchNorm)(x, shape, options);
      const expected = normalize(x, view, options);
      expectEqual(found.y, expected.y);
      expectEqual(found.mean, expected.mean);
      expectEqual(found.variance, expected.variance);
    });

    it('backward', () => {
      const grad = layer ? layerNormGrad : batchNormGrad;
      const found = grad(upstream, x, shape, options);
      const expected = normalizeGrad(upstream, x, view, options);
      expectEqual(found.dx, expected.dx);
      expectEqual(found.dgamma, expected.dgamma);
      expectEqual(found.dbeta, expected.dbeta);
    });
  },
);

it('layer norm over a middle axis is outer, with statistics inside', () => {
  const view = {batch: 2, outer: 3, group: 4, channel: 1, inner: 1};
  const {x} = numbersFor(view);
  const options = {axis: 1, epsilon: EPSILON};
  const found = layerNorm(x, [2, 3, 4], options);
  expectEqual(found.y, normalize(x, view, options).y);
});

const VIEWS: Array<[string, View]> = [
  ['batch norm', {batch: 1, outer: 3, group: 2, channel: 1, inner: 2}],
  ['virtual batches', {batch: 2, outer: 3, group: 2, channel: 1, inner: 1}],
  ['layer norm', {batch: 3, outer: 1, group: 1, channel: 4, inner: 1}],
  ['group norm', {batch: 2, outer: 2, group: 2, channel: 2, inner: 1}],
  ['group norm, axis 1', {batch: 2, outer: 1, group: 2, channel: 2, inner: 2}],
];

describe.each(VIEWS)('gradients are differences: %s', (_, view) => {
  const {x, dy, gamma, beta, dmean, dvariance, ...given} = numbersFor(view);

  it.each([true, false])(
    'with own statistics, subtractMean: %s',
    (subtractMean) => {
      const options = {epsilon: EPSILON, subtractMean};
      const value = (a: number[], g: number[], b: number[]): number => {
        const parameters = {...options, gamma: g, beta: b};
        const {y, mean, variance} = normalize(a, view, parameters);
        return dot(y, dy) + dot(mean, dmean) + dot(variance, dvariance);
      };
      const upstream = {dy, dmean, dvariance};
      const found = normalizeGrad(upstream, x, view, {...options, gamma});
      expectDifferences(found, value, {x, gamma, beta});
    },
  );

  it.each([true, false])(
    'with given statistics, subtractMean: %s',
    (subtractMean) => {
      const value = (a: number[], options: Partial<ViewOptions>): number => {
        const all = {epsilon: EPSILON, subtractMean, gamma, beta, ...options};
        return dot(applyStatistics(a, given, view, all), dy);
      };
      const options = {epsilon: EPSILON, subtractMean, gamma};
      const found = normalizeGrad({dy}, x, view, {...options, given});
      expectNear(
        found.dx,
        differences(x, (a) => value(a, {})),
      );
      const ofGamma = differences(gamma, (g) => value(x, {gamma: g}));
      expectNear(found.dgamma, ofGamma);
      const ofBeta = differences(beta, (b) => value(x, {beta: b}));
      expectNear(found.dbeta, ofBeta);
    },
  );

  it.each([true, false])(
    'in given statistics, subtractMean: %s',
    (subtractMean) => {
      const options = {epsilon: EPSILON, subtractMean, gamma};
      const value = (changed: Partial<typeof given>): number =>
        dot(applyStatistics(x, {...given, ...changed}, view, options), dy);
      const found = statisticsGrad(dy, x, given, view, options);
      const ofMean = differences(given.mean, (mean) => value({mean}));
      expectNear(found.dmean, ofMean);
      const ofVariance = differences(given.variance, (variance) =>
        value({variance}),
      );
      expectNear(found.dvariance, ofVariance);
    },
  );
});

describe('gradients are differences, by axes', () => {
  const shape = [3, 2, 2];
  const view = {batch: 1, outer: 6, group: 2, channel: 1, inner: 1};
  const {x, dy, gamma, beta, dmean, dvariance, ...given} = numbersFor(view);
  const mask = {values: [1, 1, 0, 1, 1, 0], shape: [3, 2]};

  const cases: Array<[string, Partial<BatchNormOptions>]> = [
    ['the last axis', {axis: -1}],
    ['axis 1', {axis: 1}],
    ['a mask', {mask}],
    ['a mask with the feature axis', {mask, axis: 1}],
    ['given statistics', {given}],
    ['given statistics and a mask', {given, mask}],
  ];

  it.each(cases)('batch norm, %s', (_, more) => {
    const options = {axis: -1, epsilon: EPSILON, ...more};
    const value = (a: number[], g: number[], b: number[]): number => {
      const all = {...options, gamma: g, beta: b};
      const {y, mean, variance} = batchNorm(a, shape, all);
      const own = more.given ? 0 : dot(mean, dmean) + dot(variance, dvariance);
      return dot(y, dy) + own;
    };
    const upstream = more.given ? {dy} : {dy, dmean, dvariance};
    const found = batchNormGrad(upstream, x, shape, {...options, gamma});
    expectDifferences(found, value, {x, gamma, beta});
  });

  it.each([[[1]], [[0, 2]]])('layer norm, axes %p', (axis) => {
    const options = {axis, epsilon: EPSILON};
    const size = axis.reduce((product, a) => product * (shape[a] ?? NaN), 1);
    const [g, b] = [random(size, 8), random(size, 9)];
    const value = (a: number[], c: number[]): number =>
      dot(layerNorm(a, shape, {...options, gamma: c, beta: b}).y, dy);
    const found = layerNormGrad({dy}, x, shape, {...options, gamma: g});
    expectNear(
      found.dx,
      differences(x, (a) => value(a, g)),
    );
    expectNear(
      found.dgamma,
      differences(g, (c) => value(x, c)),
    );
  });
});

/** Returns numbers for all inputs of a view, none of them special. */
function numbersFor({
  batch,
  outer,
  group,
  channel,
  inner,
}: View): Record<
  'x' | 'dy' | 'gamma' | 'beta' | 'dmean' | 'dvariance' | 'mean' | 'variance',
  number[]
> {
  const count = batch * group;
  const size = count * outer * channel * inner;
  return {
    x: random(size, 1).map((value) => 2 * value + 0.5),
    dy: random(size, 2),
    gamma: random(group * channel, 3),
    beta: random(group * channel, 4),
    dmean: random(count, 5),
    dvariance: random(count, 6),
    mean: random(count, 7),
    variance: random(count, 8).map((value) => value ** 2 + 0.5),
  };
}

/** Returns numbers between -1 and 1, the same for the same seed (Lehmer). */
function random(count: number, seed: number): number[] {
  let state = seed * 7919;
  return Array.from({length: count}, () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return sumOf(Array.from(a, (value, i) => value * (b[i] ?? NaN)));
}

/** Compares to a hundred float64 roundings, of numbers of about 1. */
function expectEqual(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  expectCloseNow(found, expected, {
    what: 'a value',
    roundings: 100,
    scale: 1,
    rounding: FLOAT64_ROUNDING,
  });
}

/** Compares within the error of central differences; see there. */
function expectNear(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  expectCloseNow(found, expected, {
    what: 'a derivative',
    roundings: 1,
    scale: 1,
    rounding: 2e-9,
  });
}

/** Compares gradients with differences of a function of x, gamma and beta. */
function expectDifferences(
  found: Readonly<Record<'dx' | 'dgamma' | 'dbeta', ArrayLike<number>>>,
  value: (x: number[], gamma: number[], beta: number[]) => number,
  {x, gamma, beta}: Readonly<Record<'x' | 'gamma' | 'beta', number[]>>,
): void {
  expectNear(
    found.dx,
    differences(x, (a) => value(a, gamma, beta)),
  );
  expectNear(
    found.dgamma,
    differences(gamma, (g) => value(x, g, beta)),
  );
  expectNear(
    found.dbeta,
    differences(beta, (b) => value(x, gamma, b)),
  );
}
