import type {InspectionRow, Prediction, Scores} from './inspection.js';
import {listed} from '../../util/listed.js';
import {lags, worstFirst} from './inspect_problems.js';

/** The least relative difference of the loss worth mentioning. */
const TELLING_LOSS = 0.05;

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
  // Nothing is told by a loss that is NaN.
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
