import {type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayerVariable, Shape} from '@tensorflow/tfjs-layers';
import {refusal} from '../src/util/received.js';
import {type Axes, resolveAxes} from '../src/ops/axes.js';
import {
  AFFINE_OPTIONS,
  AFFINE_PARAMETERS,
  type AffineArgs,
  epsilonOption,
} from '../src/layer_support/affine.js';
import {
  type BatchNormState,
  callBatchNorm,
  checkStatisticsMode,
  STATE,
  type StatisticsMode,
} from '../src/layer_support/batch_norm_call.js';
import type {
  LayerDescription,
  ParameterDescription,
} from '../src/layer_support/description.js';
import {isAbsent, isOff} from '../src/layer_support/foreign_config.js';
import {
  MovingAverage,
  type MovingAverageKind,
} from '../src/layer_support/moving_average.js';
import {
  checkClipping,
  checkRenorm,
  RENORM_MOMENTUM,
  RENORM_PARAMETERS,
  RenormAverage,
} from '../src/layer_support/renorm.js';
import type {RenormClipping} from '../src/ops/renorm.js';
import {
  type ApplyInput,
  type ApplyOutput,
  type CallOptions,
  NormLayer,
  onlyShape,
  lengthsOf,
  inputSpecOf,
} from '../src/layer_support/norm_layer.js';
import type {Initializer, ObjectOption} from '../src/layer_support/objects.js';
import {
  AXIS_OPTION,
  checkBoolean,
  checkChoice,
  checkCount,
  checkFraction,
  type OptionsOf,
} from '../src/layer_support/options.js';
import {applyWatched, ownMask} from '../src/layer_support/own_mask.js';
import {registerLayer} from '../src/layer_support/registration.js';

/** Options of {@link BatchNorm}. */
export interface BatchNormArgs extends AffineArgs {
  /** The feature axis or axes. Defaults to -1, the last. */
  axis?: Axes;
  /** The weight of the old value in the average, from 0 to 1. Defaults to 0.99. */
  momentum?: number;
  /** The kind of average that the moving statistics are. Defaults to `'exponential'`. */
  movingAverage?: MovingAverageKind;
  /** Initializer of the moving mean. Defaults to `'zeros'`. */
  movingMeanInitializer?: ObjectOption<Initializer>;
  /** Initializer of the moving variance. Defaults to `'ones'`. */
  movingVarianceInitializer?: ObjectOption<Initializer>;
  /** The statistics to normalize with. Defaults to `'auto'`. */
  statistics?: StatisticsMode;
  /** If true, the moving variance averages unbiased ones. Defaults to false. */
  unbiasedMovingVariance?: boolean;
  /** The number of examples that share statistics in training. Defaults to all. */
  virtualBatchSize?: number | null;
  /** If true, training corrects towards moving averages. Defaults to false. */
  renorm?: boolean;
  /** Bounds of that correction. Defaults to none. */
  renormClipping?: RenormClipping | null;
  /** The weight of the old value in these averages, from 0 to 1. Defaults to 0.99. */
  renormMomentum?: number;
}

type BatchNormOptions = OptionsOf<BatchNormArgs>;

const KINDS: readonly MovingAverageKind[] = [
  'exponential',
  'debiased',
  'cumulative',
];

const MOVING_MEAN: ParameterDescription = {
  name: 'moving_mean',
  option: 'movingMean',
  initializer: 'zeros',
};

const MOVING_VARIANCE: ParameterDescription = {
  name: 'moving_variance',
  option: 'movingVariance',
  initializer: 'ones',
};

/** Batch renormalization acts in training alone, and Keras 3 has it too. */
const OF_RENORM = {ours: 'training', isKeras3: true} as const;

const DESCRIPTION: LayerDescription<BatchNormOptions> = {
  className: 'BatchNorm',
  kerasNames: [
    'BatchNormalization',
    'BatchNormalizationV1',
    'BatchNormalizationV2',
    'SyncBatchNormalization',
  ],
  options: {
    axis: AXIS_OPTION,
    momentum: {default: 0.99, check: checkFraction},
    epsilon: epsilonOption(1e-3),
    ...AFFINE_OPTIONS,
    movingAverage: {
      default: 'exponential',
      check: (value, name, who) => {
        checkChoice(value, KINDS, name, who);
      },
      ours: 'training',
    },
    statistics: {
      default: 'auto',
      check: checkStatisticsMode,
      ours: 'prediction',
    },
    unbiasedMovingVariance: {
      default: false,
      check: checkBoolean,
      ours: 'training',
    },
    virtualBatchSize: {default: null, check: checkCount, ours: 'training'},
    renorm: {default: false, check: checkBoolean, ...OF_RENORM},
    renormClipping: {default: null, check: checkClipping, ...OF_RENORM},
    renormMomentum: {
      default: RENORM_MOMENTUM,
      check: checkFraction,
      ...OF_RENORM,
    },
  },
  parameters: [
    ...AFFINE_PARAMETERS,
    MOVING_MEAN,
    MOVING_VARIANCE,
    ...RENORM_PARAMETERS,
    {
      name: 'num_batches',
      initializer: 'zeros',
      when: {option: 'movingAverage', is: 'cumulative'},
      isScalar: true,
      isOurs: true,
    },
  ],
  inFiles: {
    fused: (value) => isAbsent(value) || typeof value === 'boolean',
    synchronized: isOff,
    adjustment: isAbsent,
    virtualBatchSize: isAbsent,
    // Keras takes and writes them without renorm, too.
    renormClipping: (_, {renorm}) => isOff(renorm),
    renormMomentum: (_, {renorm}) => isOff(renorm),
  },
  // On one device a batch is whole.
  inKeras: ['synchronized'],
  // tf-keras writes the axis of such a layer one too high, and cannot load it itself.
  unlikeKeras: ['virtualBatchSize'],
  counterpart: {className: 'BatchNormalization', constraints: true},
};

/**
 * Batch normalization:
 *
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`
 *
 * with a mean and a variance for each feature, over the batch and all other
 * axes. In training they are the batch's, and moving averages of them are kept;
 * in prediction they are those averages. Networks with it train at learning rates
 * where plain ones stall, best in batches of 50 to 100; for small batches and for
 * sequences choose `LayerNorm`. Put it before the activation (φ(BN(Wx))), and
 * leave out the bias of the layer before, which beta replaces.
 *
 * Shape: the output has the input's, of any rank from 1. gamma, beta and all
 * statistics have the lengths of the feature axes, in ascending order.
 *
 * - `axis` (-1): the feature axis, or a list; negative ones count from the last.
 * - `momentum` (0.99): the weight of the old value in the average, from 0 to 1.
 *   (PyTorch's momentum is the weight of the new value: 1 minus this.)
 * - `epsilon` (1e-3): added to the variance; above 0.
 * - `center`, `scale` (true): if true, there is a beta, and a gamma.
 * - `movingAverage` (`'exponential'`): `'debiased'` corrects the average for its
 *   start, so that prediction is right from the first epoch on; `'cumulative'` is
 *   the mean over all steps, counted in the weight num_batches.
 * - `statistics` (`'auto'`): `'batch'` uses the batch's in prediction too (GANs,
 *   pix2pix, style transfer), `'moving'` the moving ones in training too. It can
 *   be set at any time. The moving averages move in training under `'auto'` and
 *   `'batch'`, never under `'moving'`, never in prediction.
 * - `unbiasedMovingVariance` (false): if true, the moving variance averages
 *   unbiased variances, as PyTorch's does.
 * - `virtualBatchSize` (all): the number of consecutive examples that share
 *   statistics in training. The last part of a batch may be smaller. The averages
 *   move once a step, by the mean over the parts, weighted by their size. It cannot
 *   be used with `renorm`, with axis 0, or with a mask.
 * - `renorm` (false): if true, the batch's statistics correct towards moving
 *   averages, so that training sees nearly what prediction uses; choose it for
 *   small batches. With x̂ the normalized input and `s = sqrt(variance + epsilon)`, it
 *   is `y = (x̂ · r + d) · gamma + beta`, where `r = s / renorm_stddev` and
 *   `d = (mean − renorm_mean) / renorm_stddev` are constants to the gradient. The
 *   moving variance is `moving_stddev² − epsilon`.
 * - `renormClipping` (none): `{rmin, rmax, dmax}`, the bounds of r and of the size
 *   of d; one that is left out does not bound. They need `renorm`.
 * - `renormMomentum` (0.99): the weight of the old value in renorm_mean and
 *   renorm_stddev, from 0 to 1. It needs `renorm`.
 * - `betaInitializer` (`'zeros'`), `gammaInitializer` (`'ones'`),
 *   `movingMeanInitializer` (`'zeros'`), `movingVarianceInitializer` (`'ones'`),
 *   `betaRegularizer`, `gammaRegularizer`, `betaConstraint`, `gammaConstraint`
 *   (none): names, or objects of `tf.initializers`, `tf.regularizers` and
 *   `tf.constraints`.
 *
 * A layer that is frozen, by `trainable = false` on it or on the model around it,
 * predicts, whatever `training` says, and writes nothing. `model.fit` trains and
 * `model.predict` predicts; on tensors, `layer.apply(x, {training: true})`
 * trains. On a symbolic tensor tfjs drops `training`: use `statistics` there.
 *
 * A mask that belongs to the input leaves positions out of the statistics in training,
 * as in Keras 3. Every position is still normalized, and in prediction a mask
 * changes nothing. NaN under it reaches no other output and no gradient. The mask is
 * passed on. A channel whose statistics are not finite keeps its averages, and so does
 * the moving variance where a statistic is of one value.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.dense({units: 8, useBias: false, inputShape: [4]}));
 * model.add(batchNorm({movingAverage: 'debiased'}));
 * model.add(tf.layers.activation({activation: 'sigmoid'}));
 * ```
 *
 * @throws Error from the constructor if an option is unknown or out of its
 *   range, if momentum is 1 with `'debiased'`, or if options do not go together;
 *   when it is built, if an axis is out of range or given twice, or the length of a
 *   feature axis is not known; in training, if a mask meets `virtualBatchSize`.
 *
 * @see Ioffe and Szegedy, "Batch Normalization", 2015,
 * https://arxiv.org/abs/1502.03167, section 3, algorithms 1 and 2. `renorm`: Ioffe,
 * 2017, https://arxiv.org/abs/1702.03275, algorithm 1. `virtualBatchSize`: Hoffer,
 * Hubara and Soudry, 2017, https://arxiv.org/abs/1705.08741, algorithm 1.
 */
export class BatchNorm extends NormLayer<BatchNormOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** @internal Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;
  private axes: readonly number[] = [];
  private average: MovingAverage | undefined;

  constructor(args?: BatchNormArgs | null) {
    super(args, DESCRIPTION);
    const {movingAverage, momentum} = this.options;
    if (movingAverage === 'debiased' && momentum === 1) {
      throw refusal(
        this.who,
        `momentum must be below 1 with movingAverage 'debiased', or ` +
          'nothing would ever move',
        'momentum',
        1,
      );
    }
    checkRenorm(this.options, this.who);
    if (this.options.renorm) this.refuseVirtualBatches('renorm');
  }

  /** The option `statistics`, which can be set at any time. */
  get statistics(): StatisticsMode {
    return this.options.statistics;
  }

  /** @throws Error if it is none of the modes. */
  set statistics(mode: StatisticsMode) {
    checkStatisticsMode(mode, 'statistics', this.who);
    this.options.statistics = mode;
  }

  /**
   * Sets the moving statistics to their initial values and starts their average
   * again.
   *
   * @throws Error if the layer has not been built.
   */
  resetStatistics(): void {
    const average = this.builtAverage();
    tidy(() => {
      const {shape} = average.read().mean;
      average.restart({
        mean: this.initializerOf(MOVING_MEAN).apply(shape, 'float32'),
        variance: this.initializerOf(MOVING_VARIANCE).apply(shape, 'float32'),
      });
    });
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = onlyShape(inputShape);
    this.axes = resolveAxes(this.options.axis, shape.length, this.who);
    if (this.axes.includes(0)) this.refuseVirtualBatches('axis 0');
    const features = lengthsOf(this.axes, shape, this.who);
    this.addParameters(features);
    this.average = this.makeAverage();
    this.inputSpec = [inputSpecOf(shape, this.axes)];
    super.build(inputShape);
  }

  override apply(inputs: ApplyInput, kwargs?: CallOptions): ApplyOutput {
    return applyWatched(this, inputs, () => super.apply(inputs, kwargs));
  }

  protected override compute(x: Tensor, options: CallOptions): Tensor {
    const training = Boolean(options.training);
    const mask = ownMask(this, x, options.mask, this.who);
    if (training && mask) this.refuseVirtualBatches('a mask');
    return callBatchNorm(x, this[STATE](), {training, mask});
  }

  /** @internal For the tools that work on whole models. */
  [STATE](): BatchNormState {
    const {
      epsilon,
      momentum,
      statistics: mode,
      virtualBatchSize: size,
      unbiasedMovingVariance: unbiased,
    } = this.options;
    const {axes, trainable} = this;
    return {
      axes,
      epsilon,
      momentum,
      mode,
      gamma: this.parameter('gamma'),
      beta: this.parameter('beta'),
      trainable,
      average: this.builtAverage(),
      virtualBatches: size === null ? undefined : {size, unbiased},
      warnOnce: (topic, message) => this.warnOnce(topic, message),
    };
  }

  protected override disposeWeights(): number {
    this.average?.dispose();
    return super.disposeWeights();
  }

  private makeAverage(): MovingAverage {
    const {
      movingAverage: kind,
      momentum,
      unbiasedMovingVariance,
      virtualBatchSize,
      renorm,
    } = this.options;
    const find = (name: string): LayerVariable | undefined =>
      this.parameter(name);
    const moving = [MOVING_MEAN.name, MOVING_VARIANCE.name].map(find);
    const [mean, variance] = moving as [LayerVariable, LayerVariable];
    const weights = {mean, variance, steps: find('num_batches')};
    // Each virtual batch is corrected by itself.
    const unbiased = unbiasedMovingVariance && virtualBatchSize === null;
    const options = {kind, momentum, unbiased};
    return renorm
      ? new RenormAverage(weights, options, find, this.options)
      : new MovingAverage(weights, options);
  }

  private refuseVirtualBatches(what: string): void {
    const {virtualBatchSize: size} = this.options;
    if (size === null) return;
    throw refusal(
      this.who,
      `virtualBatchSize cannot be used with ${what}`,
      'virtualBatchSize',
      size,
    );
  }

  private builtAverage(): MovingAverage {
    if (this.average !== undefined) return this.average;
    throw refusal(this.who, 'it is not built yet', 'built', false);
  }
}
registerLayer(BatchNorm);

/** Makes a {@link BatchNorm}. */
export function batchNorm(args?: BatchNormArgs): BatchNorm {
  return new BatchNorm(args);
}
