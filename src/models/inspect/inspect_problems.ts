import {
  type BatchNormState,
  TELLING_SHARE,
} from '../../layer_support/batch_norm_call.js';
import {listed} from '../../util/listed.js';
import type {
  Comparison,
  InspectionRow,
  Prediction,
  Scores,
} from './inspection.js';

/** Weight values by name. */
export type WeightValues = ReadonlyMap<string, Float32Array>;

/** Below this, gamma blocks the input. */
const DEAD_GAMMA = 1e-6;
/** As a fraction of epsilon: below it, epsilon decides the scale. */
const LOW_VARIANCE = 0.1;
/** Gaps from here on are not chance: the moving average lags. */
const TELLING_MEAN_GAP = 0.5;
const TELLING_VARIANCE_FACTOR = 2;
/** The least relative difference of losses that is worth mentioning. */
const TELLING_LOSS = 0.05;

/** Lists problems in the weights of any normalization layer. */
export function weightProblems(weights: WeightValues): string[] {
  const problems: string[] = [];
  for (const [name, values] of weights) {
    const wrong = numberOf(values, (value) => !Number.isFinite(value));
    if (wrong > 0) {
      // Not channels: a SpectralNorm also has the kernel of the layer inside.
      problems.push(
        `${name} is not finite in ${wrong} of ${values.length} values`,
      );
    }
  }
  const gamma = weights.get('gamma') ?? new Float32Array();
  const dead = numberOf(gamma, (value) => Math.abs(value) < DEAD_GAMMA);
  if (dead > 0) {
    problems.push(
      `gamma is 0 in ${of(dead, gamma)}, which let nothing of the input through`,
    );
  }
  return problems;
}

/** Lists problems in the moving statistics of a batch normalization. */
export function statisticsProblems(
  weights: WeightValues,
  {epsilon, average}: BatchNormState,
): string[] {
  const mean = weights.get('moving_mean') ?? new Float32Array();
  const variance = weights.get('moving_variance') ?? new Float32Array();
  const share = average.initialShare;
  if (mean.every((m) => m === 0) && variance.every((v) => v === 1)) {
    return ['the moving statistics have never moved: mean 0, variance 1'];
  }
  const problems: string[] = [];
  if (share > TELLING_SHARE) {
    problems.push(
      `the moving statistics are still ${Math.round(share * 100)}% initial value`,
    );
  }
  const negative = numberOf(variance, (value) => value < 0);
  if (negative > 0) {
    problems.push(
      `the moving variance is negative in ${of(negative, variance)}`,
    );
  }
  const constant = numberOf(variance, (value) => value === 0);
  if (constant > 0) {
    problems.push(
      `the moving variance is 0 in ${of(constant, variance)}: their input is constant`,
    );
  }
  const low = numberOf(
    variance,
    (value) => value > 0 && value < LOW_VARIANCE * epsilon,
  );
  if (low > 0) {
    problems.push(
      `the moving variance is below a tenth of epsilon in ${of(low, variance)}: ` +
        `epsilon decides their scale`,
    );
  }
  return problems;
}

/** Lists problems in the statistics that a Normalization was adapted to. */
export function adaptedProblems(weights: WeightValues): string[] {
  const mean = weights.get('mean') ?? new Float32Array();
  const variance = weights.get('variance') ?? new Float32Array();
  // Keras 3 leaves the count at 0.
  const count = weights.get('count')?.[0] ?? 0;
  if (
    count === 0 &&
    mean.every((m) => m === 0) &&
    variance.every((v) => v === 1)
  ) {
    return ['it has never been adapted: mean 0, variance 1'];
  }
  const problems: string[] = [];
  const negative = numberOf(variance, (value) => value < 0);
  if (negative > 0) {
    problems.push(`the variance is negative in ${of(negative, variance)}`);
  }
  const constant = numberOf(variance, (value) => value === 0);
  if (constant > 0) {
    problems.push(
      `the variance is 0 in ${of(constant, variance)}: their input was constant in ` +
        `the data, and any other value becomes 10 million times its distance`,
    );
  }
  return problems;
}

/**
 * Tells if moving statistics are further from the data's than chance explains.
 */
export function lags({meanGap, varianceFactor}: Comparison): boolean {
  return !(
    meanGap <= TELLING_MEAN_GAP && varianceFactor <= TELLING_VARIANCE_FACTOR
  );
}

/** Sorts the rows by how bad they look, ties in their own order. */
export function worstFirst(rows: readonly InspectionRow[]): InspectionRow[] {
  return [...rows].sort((a, b) => badnessOf(b) - badnessOf(a));
}

/** Returns a finite number, so that two can be subtracted. */
function badnessOf({weights, problems, data}: InspectionRow): number {
  const ends = Object.values(weights).flatMap(({min, max}) => [min, max]);
  if (!ends.every(Number.isFinite)) return Number.MAX_VALUE;
  const gap = data && lags(data) ? data.meanGap + data.varianceFactor : 0;
  return Number.isFinite(gap) ? problems.length + gap : Number.MAX_VALUE;
}

/**
 * Lists differences between a layer's statistics and those of the data.
 *
 * @param areMoving If true, they are moving averages; otherwise `adapt` found them.
 */
export function comparisonProblems(
  comparison: Comparison,
  areMoving: boolean,
): string[] {
  if (!lags(comparison)) return [];
  const {meanGap, varianceFactor} = comparison;
  return [
    `the ${areMoving ? 'moving ' : ''}statistics are not those of the data: a mean is off by ` +
      `${meanGap.toPrecision(2)} standard deviations, a variance by a factor of ` +
      varianceFactor.toPrecision(2),
  ];
}

/**
 * Explains why training and prediction differ, where the data shows that they
 * do: the moving statistics are not those of the data and, where it was
 * measured, the loss is worse with them.
 */
export function explain(
  rows: readonly InspectionRow[],
  prediction: Prediction | undefined,
): string | undefined {
  const lagging = rows.filter(({data}) => data !== undefined && lags(data));
  if (lagging.length === 0) return undefined;
  const names = listed(worstFirst(lagging).map(({layer}) => layer));
  const cause =
    `Training uses the statistics of each batch, prediction the moving ones, ` +
    `and these are not those of the data in ${names}.`;
  const cure =
    `recalibrate(model, data) sets them right; movingAverage 'debiased' or ` +
    `'cumulative', or a smaller momentum, keeps them closer in training.`;
  if (prediction === undefined) {
    return `${cause} So prediction may be worse than training. ${cure}`;
  }
  const scores =
    `With its moving statistics the model has ${show(prediction.moving)}; ` +
    `with those of the data ${show(prediction.data)}.`;
  const {moving, data} = prediction;
  const gap = (lossIn(moving) - lossIn(data)) / lossIn(data);
  // A loss of NaN says nothing.
  if (Number.isNaN(gap)) return `${scores} ${cause} ${cure}`;
  if (gap < TELLING_LOSS) {
    return `${scores} ${cause} Prediction is no worse for it.`;
  }
  return (
    `${scores} ${cause} So training shows the better result, and prediction ` +
    `the worse one, with the same weights. ${cure}`
  );
}

function show(scores: Scores): string {
  return Object.entries(scores)
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join(', ');
}

function lossIn({loss = NaN}: Scores): number {
  return loss;
}

function numberOf(
  values: Float32Array,
  isWrong: (value: number) => boolean,
): number {
  return values.filter(isWrong).length;
}

function of(found: number, values: Float32Array): string {
  return `${found} of ${values.length} channels`;
}
