import {counted, percent} from '../../tools/format.js';
import {NAMES, type Norm} from './norms.js';

/** The figures in the sentence. */
export interface Seen {
  readonly norm: Norm;
  /** Accuracy after each epoch. */
  readonly valAccuracy: readonly number[];
  /** With the statistics of the training set, if measured. */
  readonly valAccuracyRecalibrated?: readonly number[] | null;
}

const GOAL = 0.9;

/** Describes the effect of the training set's statistics on prediction. */
export function recalibratedSentenceOf(
  valAccuracy: readonly number[],
  recalibrated: readonly number[],
): string {
  const gaps = recalibrated.map((value, i) => value - (valAccuracy[i] ?? NaN));
  const widest = gaps.indexOf(Math.max(...gaps));
  return (
    `Recalibrated on the training set, BatchNorm predicts ` +
    `${percent(recalibrated[widest] ?? NaN)} right after epoch ${widest + 1}, ` +
    `where its moving averages give ${percent(valAccuracy[widest] ?? NaN)}.`
  );
}

/** Returns the first epoch, from 1, whose accuracy is above a bound. */
export function firstAbove(
  bound: number,
  accuracy: readonly number[],
): number | undefined {
  const index = accuracy.findIndex((value) => value > bound);
  return index < 0 ? undefined : index + 1;
}

/**
 * Summarizes the runs in a sentence: compared with the network without
 * normalization if there is one, else with 90%.
 */
export function sentenceOf(runs: readonly Seen[], activation: string): string {
  const seen = runs.filter((run) => run.valAccuracy.length > 0);
  const plain = seen.find((run) => run.norm === 'none');
  const normalized = seen.filter(isNormalized);
  const baseline = seen.find((run) => run.norm === 'none-relu');
  const clauses =
    plain && normalized.length > 0
      ? [
          plainClause(plain, activation),
          normalized.map((run) => besidePlain(run, plain)).join(', '),
        ]
      : [...(plain ? [plain] : []), ...normalized].map((run) => alone(run));
  if (baseline) clauses.push(baselineClause(baseline, clauses.length > 0));
  const sentence = clauses.join('; ');
  return sentence === '' ? 'No epoch was finished.' : `${sentence}.`;
}

function isNormalized({norm}: Seen): boolean {
  return norm === 'batch' || norm === 'layer';
}

function plainClause({valAccuracy}: Seen, activation: string): string {
  return (
    `Without normalization the ${activation} network gets no further than ` +
    `${percent(Math.max(...valAccuracy))} in ` +
    counted(valAccuracy.length, 'epoch')
  );
}

function besidePlain({norm, valAccuracy}: Seen, plain: Seen): string {
  const epoch = firstAbove(Math.max(...plain.valAccuracy), valAccuracy);
  const last = ends(valAccuracy);
  if (epoch === undefined)
    return `${NAMES[norm]} does not pass that and ${last}`;
  const passes = `${NAMES[norm]} passes that in epoch ${epoch}`;
  if (epoch === valAccuracy.length)
    return `${passes}, its last, with ${percent(valAccuracy[epoch - 1] ?? NaN)}`;
  return `${passes} with ${percent(valAccuracy[epoch - 1] ?? NaN)} and ${last}`;
}

function alone({norm, valAccuracy}: Seen): string {
  const name =
    norm === 'none' ? 'The network without normalization' : NAMES[norm];
  return `${name} ${passesGoal(valAccuracy)} and ${ends(valAccuracy)}`;
}

function baselineClause({valAccuracy}: Seen, isContinued: boolean): string {
  const name = 'ReLU with He initialization, without normalization,';
  if (isContinued) return `${name} ${ends(valAccuracy)}`;
  return `${name} ${passesGoal(valAccuracy)} and ${ends(valAccuracy)}`;
}

function passesGoal(accuracy: readonly number[]): string {
  const epoch = firstAbove(GOAL, accuracy);
  return epoch === undefined
    ? `does not pass ${GOAL * 100}% in ${counted(accuracy.length, 'epoch')}`
    : `passes ${GOAL * 100}% in epoch ${epoch}`;
}

function ends(accuracy: readonly number[]): string {
  return `ends at ${percent(accuracy[accuracy.length - 1] ?? NaN)}`;
}
