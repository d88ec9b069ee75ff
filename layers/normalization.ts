import {type Tensor, tensor, tidy} from '@tensorflow/tfjs-core';
import type {Shape} from '@tensorflow/tfjs-layers';
import {
  ADAPTED,
  AdaptedStatistics,
} from '../src/layer_support/adapted_statistics.js';
import type {LayerDescription} from '../src/layer_support/description.js';
import {
  checkNumbers,
  checkRank,
  checkVariances,
  fitNumbers,
  type Numbers,
  type ShapedNumbers,
} from '../src/layer_support/given_statistics.js';
import {
  inputSpecOf,
  lengthsOf,
  NormLayer,
  onlyShape,
} from '../src/layer_support/norm_layer.js';
import {
  checkBoolean,
  checkFunction,
  checkSignal,
  type LayerArgs,
  type OptionsOf,
  takeOptions,
} from '../src/layer_support/options.js';
import {registerLayer} from '../src/layer_support/registration.js';
import {type Axes, resolveAxes} from '../src/ops/axes.js';
import {normalizeFeatures} from '../src/ops/feature_norm.js';
import type {Statistics} from '../src/ops/moving_statistics.js';
import {standardize} from '../src/ops/standardize.js';
import type {DataWatch} from '../src/statistics/data_progress.js';
import {
  type FeatureData,
  statisticsOfData,
} from '../src/statistics/data_statistics.js';
import {received, refusal} from '../src/util/received.js';

/** Options of {@link Normalization}. */
export interface NormalizationArgs extends LayerArgs {
  /**
   * The axis or axes whose positions have a mean and a variance each; null for one mean
   * and one variance. Defaults to -1, the last.
   */
  axis?: Axes | null;
  /** The mean, if it is known. Defaults to that of the data given to `adapt`. */
  mean?: Numbers | Float32Array | null;
  /**
   * The variance, which goes with the mean. Defaults to that of the data given to `adapt`.
   */
  variance?: Numbers | Float32Array | null;
  /** If true, takes normalized values back to what they were. Defaults to false. */
  invert?: boolean;
}

/** Options of {@link Normalization.adapt}. */
export type AdaptOptions = DataWatch;

interface NormalizationOptions extends OptionsOf<NormalizationArgs> {
  mean: Numbers | null;
  variance: Numbers | null;
}

/** There are no weights if the mean is given, as in Keras. */
const ADAPTS = {option: 'mean', is: null};

const DESCRIPTION: LayerDescription<NormalizationOptions> = {
  className: 'Normalization',
  kerasNames: ['Normalization'],
  options: {
    axis: {default: -1, takesNull: true, check: checkKeptAxes},
    mean: {default: null, takesNull: true, check: checkNumbers},
    variance: {default: null, takesNull: true, check: checkVariances},
    invert: {default: false, check: checkBoolean},
  },
  parameters: [
    {name: 'mean', initializer: 'zeros', when: ADAPTS},
    {name: 'variance', initializer: 'ones', when: ADAPTS},
    {
      name: 'count',
      initializer: 'zeros',
      when: ADAPTS,
      isScalar: true,
      dtype: 'int32',
    },
  ],
};

/**
 * Normalization of features by statistics of a dataset:
 *
 * `y = (x − mean) / max(√variance, 1e-7)`
 *
 * with a mean and a variance for each position on the kept axes. Make it the first layer
 * of a model whose features have different scales: `adapt` finds both in the training
 * data, they are saved with the model, and its inputs need no scaling in prediction.
 * It learns nothing and is the same in training and in prediction; between hidden layers,
 * whose statistics move, use `BatchNorm` or `LayerNorm`.
 *
 * Shape: the output has the input's, the batch first. mean and variance have the lengths
 * of the kept axes, in ascending order; count is one int32, the number of values in each
 * statistic. They are weights that do not train. Until `adapt` or a model file gives
 * others, the mean is 0 and the variance 1.
 *
 * - `axis` (-1): the kept axes, an integer or a list; negative ones count from the last.
 *   null keeps none: one mean and one variance for all values.
 * - `mean`, `variance` (those of the data given to `adapt`): known ones, always both, each a
 *   number or an array that broadcasts to the kept axes. The layer has no weights then.
 * - `invert` (false): if true, `y = mean + x · max(√variance, 1e-7)`, which takes what the
 *   model predicts back to the targets' scale.
 *
 * A mask is passed on and not used. In model files its class is `Normalization`, as in
 * Keras, whose models load.
 *
 * ```js
 * const features = tf.tensor2d([[1980, 120], [1995, 80], [2010, 60], [2020, 100]]);
 * const norm = normalization({inputShape: [2]});
 * await norm.adapt(features);
 * const model = tf.sequential({layers: [norm, tf.layers.dense({units: 1})]});
 * model.predict(features).print();
 * ```
 *
 * @throws Error from the constructor if an option is unknown or out of its range, if only
 *   one of mean and variance is given, or if they have more axes than are kept; when it is
 *   built, if an axis is out of range, given twice or the batch's, if its length is not
 *   known, or if mean or variance do not fit.
 */
export class Normalization extends NormLayer<NormalizationOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** @internal Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;
  private adapted: AdaptedStatistics | undefined;
  /** The shape it was built for, null on the axes that are not kept. */
  private keptShape: Shape | undefined;
  private given: Readonly<Record<keyof Statistics, ShapedNumbers>> | undefined;

  constructor(args?: NormalizationArgs | null) {
    super(args, DESCRIPTION);
    const {axis, mean, variance} = this.options;
    if ((mean === null) !== (variance === null)) {
      throw new Error(
        `${this.who}: mean and variance go together. ` +
          `${received('mean', mean)} and variance=${JSON.stringify(variance)}`,
      );
    }
    const kept = [axis ?? []].flat().length;
    if (mean !== null) checkRank(mean, kept, 'mean', this.who);
    if (variance !== null) checkRank(variance, kept, 'variance', this.who);
  }

  /**
   * Sets mean and variance to those of some data, afresh at each call. They are computed in
   * float64, and the cut into batches makes no difference. A layer that no model has built
   * yet is built for the data's shape.
   *
   * ```js
   * const norm = normalization({axis: null});
   * await norm.adapt([1, 2, 3, 4, 5]);
   * norm.apply(tf.tensor1d([1, 3])).print();  // [-1.41, 0]
   * ```
   *
   * @param data A tensor, an array of numbers, or a `tf.data` dataset of batches `x`,
   *   `[x, y]` or `{xs, ys}`; labels are left out. The batch is the first axis.
   * @param options `onProgress`: called with `{done, total}` after every batch; `total` is
   *   undefined for a dataset. `signal`: an AbortSignal that cancels.
   * @throws Error if an option is unknown or invalid, if mean and variance were given to
   *   the constructor, or if the data is empty, not of numbers, not finite, or of another
   *   shape than the layer's input. Then, and when cancelled, the statistics stay.
   */
  async adapt(data: FeatureData, options: AdaptOptions = {}): Promise<void> {
    const checks = {onProgress: checkFunction, signal: checkSignal};
    const watch = takeOptions(options, checks, this.who);
    const {mean} = this.options;
    if (mean !== null) {
      throw refusal(
        this.who,
        'adapt is for a layer whose mean and variance are not given',
        'mean',
        mean,
      );
    }
    const found = await statisticsOfData(data, {
      ...watch,
      axesFor: (shape) => this.axesOfData(shape),
      who: this.who,
    });
    if (!this.built) this.build([...found.shape]);
    const {adapted} = this;
    tidy(() => {
      const shape = adapted?.read().mean.shape;
      const mean = tensor(Array.from(found.mean), shape, 'float32');
      const variance = tensor(Array.from(found.variance), shape, 'float32');
      adapted?.replace({mean, variance}, found.count);
    });
  }

  /** @internal Its statistics for the tools for models; undefined if they were given. */
  [ADAPTED](): AdaptedStatistics | undefined {
    return this.adapted;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = onlyShape(inputShape);
    const axes = this.axesFor(shape.length);
    const lengths = lengthsOf(axes, shape, this.who);
    const {mean, variance} = this.options;
    if (mean !== null && variance !== null) {
      this.given = {
        mean: fitNumbers(mean, lengths, 'mean', this.who),
        variance: fitNumbers(variance, lengths, 'variance', this.who),
      };
    }
    this.addParameters(lengths);
    this.adapted = this.makeAdapted();
    // One mean for all fits any shape.
    if (axes.length > 0) {
      this.inputSpec = [inputSpecOf(shape, axes)];
      this.keptShape = shape.map((n, axis) => (axes.includes(axis) ? n : null));
    }
    super.build(inputShape);
  }

  protected override compute(x: Tensor): Tensor {
    const {adapted} = this;
    const {invert} = this.options;
    const axes = this.axesFor(x.rank);
    const {given, gather} = adapted?.standIn ?? {};
    if (gather !== undefined && x.size > 0) {
      gather(normalizeFeatures(x, {axes, epsilon: 1}));
    } else if (adapted?.isInitial === true && given === undefined) {
      this.warnOnce(
        'not adapted',
        'it passes its input on, since neither adapt nor a model file has given it a ' +
          'mean and a variance. Call `await layer.adapt(data)` first.',
      );
    }
    const statistics = given ?? adapted?.read() ?? this.givenStatistics();
    return standardize(x, statistics, {axes, invert});
  }

  private makeAdapted(): AdaptedStatistics | undefined {
    const [mean, variance, count] = ['mean', 'variance', 'count'].map((name) =>
      this.parameter(name),
    );
    if (!mean || !variance || !count) return undefined;
    return new AdaptedStatistics({mean, variance, count});
  }

  private givenStatistics(): Statistics {
    const read = (name: keyof Statistics): Tensor => {
      const {values, shape} = this.given?.[name] ?? {values: [], shape: []};
      return tensor([...values], [...shape], 'float32');
    };
    return {mean: read('mean'), variance: read('variance')};
  }

  /** Checks that data has a shape that the layer takes. */
  private axesOfData(ofData: readonly number[]): number[] {
    const {keptShape: kept} = this;
    // tf.js's fit gives a vector this axis, too.
    const isVector = ofData.length === 1 && kept?.length === 2;
    const shape = isVector ? [...ofData, 1] : ofData;
    const fits =
      kept === undefined ||
      (kept.length === shape.length &&
        kept.every(
          (length, axis) => length === null || length === shape[axis],
        ));
    if (fits) return this.axesFor(shape.length);
    throw refusal(
      this.who,
      `the data must have the shape that the layer was built for, ${JSON.stringify(kept)}`,
      'shape',
      ofData,
    );
  }

  private axesFor(rank: number): number[] {
    const {axis} = this.options;
    if (isNone(axis)) return [];
    const axes = resolveAxes(axis, rank, this.who);
    if (axes[0] !== 0) return axes;
    throw refusal(
      this.who,
      `axis must not be the batch's, whose length varies; axis null has one ` +
        'mean and variance for all values',
      'axis',
      axis,
    );
  }
}
registerLayer(Normalization);

/** Makes a {@link Normalization}. */
export function normalization(args?: NormalizationArgs): Normalization {
  return new Normalization(args);
}

/** Keras writes null as an empty list. */
function isNone(axis: Axes | null): axis is null | readonly [] {
  return axis === null || (Array.isArray(axis) && axis.length === 0);
}

function checkKeptAxes(value: unknown, name: string, who: string): void {
  const list: unknown[] = [value].flat();
  if (list.every(Number.isInteger)) return;
  throw refusal(
    who,
    `${name} must be an integer, an array of integers or null`,
    name,
    value,
  );
}
