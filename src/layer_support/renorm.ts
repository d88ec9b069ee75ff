import {equal, type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayerVariable} from '@tensorflow/tfjs-layers';
import type {
  FeatureNormalized,
  FeatureNormOptions,
} from '../ops/feature_norm.js';
import type {Statistics} from '../ops/moving_statistics.js';
import {
  type RenormClipping,
  renormalizeFeatures,
  stddevOf,
  varianceOf,
} from '../ops/renorm.js';
import {whereAnyRank} from '../ops/where_any_rank.js';
import {isObject} from '../util/is_object.js';
import {refusal} from '../util/received.js';
import type {ParameterDescription} from './description.js';
import {
  advanced,
  type BatchStatistics,
  MovingAverage,
  type MovingAverageOptions,
  type MovingWeights,
} from './moving_average.js';

const BOUNDS: readonly string[] = ['rmin', 'rmax', 'dmax'];

const NAMES = ['moving_stddev', 'renorm_mean', 'renorm_stddev'] as const;

/** The weights of batch renormalization, which {@link RenormAverage} gives their values. */
export const RENORM_PARAMETERS = NAMES.map((name): ParameterDescription => ({
  name,
  initializer: 'zeros',
  when: {option: 'renorm', is: true},
  isOurs: true,
}));

/** @throws Error if an option is not the bounds of batch renormalization. */
export function checkClipping(value: unknown, name: string, who: string): void {
  const isFitting =
    isObject(value) &&
    Object.entries(value).every(
      ([key, bound]) =>
        BOUNDS.includes(key) &&
        (bound == null || (Number.isFinite(bound) && Number(bound) >= 0)),
    );
  const {rmin, rmax} = value as RenormClipping;
  if (isFitting && (rmin ?? 0) <= (rmax ?? Infinity)) return;
  throw refusal(
    who,
    `${name} must have finite numbers from 0 on as rmin, rmax and dmax, ` +
      'rmin at most rmax; leave one out for no bound',
    name,
    value,
  );
}

/** The default of `renormMomentum`. */
export const RENORM_MOMENTUM = 0.99;

/** Settings of batch renormalization. */
export interface RenormSettings {
  readonly epsilon: number;
  /** The weight of the old value in the averages that training corrects towards. */
  readonly renormMomentum: number;
  readonly renormClipping: RenormClipping | null;
}

/** @throws Error if there is an option of renorm without renorm. */
export function checkRenorm(
  options: RenormSettings & {renorm: boolean},
  who: string,
): void {
  const defaults = {renormClipping: null, renormMomentum: RENORM_MOMENTUM};
  for (const [name, usual] of Object.entries(defaults)) {
    const value = options[name as keyof RenormSettings];
    if (options.renorm || value === usual) continue;
    throw refusal(who, `${name} needs renorm: true`, name, value);
  }
}

/**
 * The averages of batch renormalization: those of prediction, whose variance follows from
 * an average of deviations, and those that training corrects towards.
 */
export class RenormAverage extends MovingAverage {
  private readonly renorm: readonly [
    stddev: LayerVariable,
    renormMean: LayerVariable,
    renormStddev: LayerVariable,
  ];

  /** @param find A weight of {@link RENORM_PARAMETERS} by its name. */
  constructor(
    weights: MovingWeights,
    options: MovingAverageOptions,
    find: (name: string) => LayerVariable | undefined,
    private readonly settings: RenormSettings,
  ) {
    super(weights, options);
    this.renorm = NAMES.map(find) as [
      LayerVariable,
      LayerVariable,
      LayerVariable,
    ];
    this.begin(this.read(), 0);
  }

  override normalize(
    x: Tensor,
    options: FeatureNormOptions,
  ): FeatureNormalized {
    const [, mean, stddev] = this.renorm;
    const reference = {mean: mean.read(), stddev: stddev.read()};
    const clipping = this.settings.renormClipping ?? {};
    return renormalizeFeatures(x, options, reference, clipping);
  }

  /** Starts again; as in Keras, epsilon is not in the first deviations. */
  override restart(statistics: Statistics): void {
    super.restart(statistics);
    this.begin(statistics, 0);
  }

  /** Takes statistics, from which training goes on, too. */
  override replace(statistics: Statistics): void {
    super.replace(statistics);
    this.begin(statistics, this.settings.epsilon);
  }

  protected override advance(
    target: BatchStatistics,
    batch: BatchStatistics,
    rate: number | Tensor,
  ): void {
    const {epsilon, renormMomentum} = this.settings;
    const deviations = (statistics: BatchStatistics): BatchStatistics => ({
      ...statistics,
      variance: stddevOf(statistics.variance, epsilon),
    });
    const [stddev, renormMean, renormStddev] = this.renorm;
    const reference = advanced(
      {mean: renormMean.read(), variance: renormStddev.read()},
      deviations(batch),
      1 - renormMomentum,
    );
    renormMean.write(reference.mean);
    renormStddev.write(reference.variance);
    const {mean, variance} = this.read();
    const deviation = stddev.read();
    const moving = advanced(
      {mean, variance: deviation},
      deviations(target),
      rate,
    );
    // At the start it is not the variance of the deviation, and stays where that does.
    const next = whereAnyRank(
      equal(moving.variance, deviation),
      variance,
      varianceOf(moving.variance, epsilon),
    );
    stddev.write(moving.variance);
    this.write({mean: moving.mean, variance: next});
  }

  private begin({mean, variance}: Statistics, epsilon: number): void {
    tidy(() => {
      const deviation = stddevOf(variance, epsilon);
      const [stddev, renormMean, renormStddev] = this.renorm;
      stddev.write(deviation);
      renormMean.write(mean);
      renormStddev.write(deviation);
    });
  }
}
