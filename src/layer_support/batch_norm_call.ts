import type {Tensor} from '@tensorflow/tfjs-core';
import type {LayerVariable} from '@tensorflow/tfjs-layers';
import {received} from '../util/received.js';
import {
  type FeatureNormalized,
  type FeatureNormOptions,
  normalizeFeatures,
  normalizeFeaturesWith,
} from '../ops/feature_norm.js';
import {
  normalizeVirtualBatches,
  type VirtualBatchOptions,
} from '../ops/virtual_batches.js';
import type {MovingAverage, StandIn} from './moving_average.js';
import {checkChoice} from './options.js';

/** The statistics that a batch normalization uses. */
export type StatisticsMode = 'auto' | 'batch' | 'moving';

const MODES: readonly StatisticsMode[] = ['auto', 'batch', 'moving'];

/** @throws Error if this is no such word. */
export function checkStatisticsMode(
  mode: unknown,
  name: string,
  who: string,
): void {
  checkChoice(mode, MODES, name, who);
}

/** The parts of a batch normalization that is built. */
export interface BatchNormState {
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly momentum: number;
  readonly mode: StatisticsMode;
  readonly gamma?: LayerVariable | null | undefined;
  readonly beta?: LayerVariable | null | undefined;
  readonly average: MovingAverage;
  /** The cut of batches in training. Defaults to none. */
  readonly virtualBatches?: VirtualBatchOptions | undefined;
  /** The layer's `trainable`. */
  readonly trainable: boolean;
  /** Warns once a layer for each topic. */
  readonly warnOnce: (topic: string, message: string) => void;
}

/** The method of a batch normalization that gives its state to the tools for models. */
export const STATE = Symbol('state');

/** An average with more of its initial value than this predicts badly. */
export const TELLING_SHARE = 0.1;

/** The arguments of a call. */
export interface BatchNormCall {
  readonly training: boolean;
  /** The mask of the input, if it has one. */
  readonly mask?: Tensor | undefined;
}

/**
 * One call of a batch normalization: chooses the statistics, normalizes, and in
 * training moves the average.
 *
 * @param x The input, in float32.
 */
export function callBatchNorm(
  x: Tensor,
  state: BatchNormState,
  {training, mask}: BatchNormCall,
): Tensor {
  const {axes, epsilon, gamma, beta, average, mode} = state;
  const options = {
    axes,
    epsilon,
    mask,
    gamma: gamma?.read(),
    beta: beta?.read(),
  };
  const {standIn} = average;
  if (standIn !== undefined) return callWithStandIn(x, standIn, options);
  const learns = training && !isFrozen(state);
  if (mode === 'moving' || (mode === 'auto' && !learns)) {
    if (!learns) warnOfEarlyPrediction(state);
    return normalizeFeaturesWith(x, average.read(), options);
  }
  const {y, ...batch} = normalizeBatch(x, state, options, learns);
  if (learns && x.size > 0) {
    if (batch.count === 1) warnOfLoneValues(state);
    average.move(batch);
  }
  return y;
}

function normalizeBatch(
  x: Tensor,
  {average, virtualBatches}: BatchNormState,
  options: FeatureNormOptions,
  learns: boolean,
): FeatureNormalized {
  if (x.size === 0) return normalizeFeatures(x, options);
  return learns && virtualBatches
    ? normalizeVirtualBatches(x, options, virtualBatches)
    : average.normalize(x, options);
}

function callWithStandIn(
  x: Tensor,
  {given, gather}: StandIn,
  options: FeatureNormOptions,
): Tensor {
  const withGiven = given && normalizeFeaturesWith(x, given, options);
  if (withGiven && !gather) return withGiven;
  const {y, ...batch} = normalizeFeatures(x, options);
  if (x.size > 0) gather?.(batch);
  return withGiven ?? y;
}

/**
 * Tells if a layer predicts, whatever `training` says, and writes nothing.
 * `model.trainable = false` makes only the weights of a direct child
 * untrainable, not the layer itself: so both count.
 */
export function isFrozen({
  trainable,
  gamma,
  beta,
}: Pick<BatchNormState, 'trainable' | 'gamma' | 'beta'>): boolean {
  const parameters = [gamma, beta].filter((weight) => weight != null);
  const thawed = parameters.some((weight) => weight.trainable);
  return !trainable || (parameters.length > 0 && !thawed);
}

function warnOfEarlyPrediction(state: BatchNormState): void {
  const share = state.average.initialShare;
  if (share <= TELLING_SHARE) return;
  state.warnOnce(
    'early prediction',
    `prediction uses moving statistics that are still ` +
      `${Math.round(share * 100)}% initial value, and may look untrained. ` +
      `recalibrate(model, data) cures it now, and BatchNorm's movingAverage ` +
      `'debiased' or 'cumulative', or a smaller momentum, from the start. ` +
      received('momentum', state.momentum),
  );
}

function warnOfLoneValues(state: BatchNormState): void {
  state.warnOnce(
    'lone values',
    `in training each statistic is of one value, so that the output is beta ` +
      `and nothing is learnt; the moving variance stays. A larger batch cures ` +
      `it, or LayerNorm, which needs none. ${received('values', 1)}`,
  );
}
