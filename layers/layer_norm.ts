import type {Tensor} from '@tensorflow/tfjs-core';
import type {Shape} from '@tensorflow/tfjs-layers';
import {type Axes, resolveAxes} from '../src/ops/axes.js';
import {normalizeExamples, scaleExamples} from '../src/ops/example_norm.js';
import {
  AFFINE_OPTIONS,
  AFFINE_PARAMETERS,
  type AffineArgs,
  epsilonOption,
} from '../src/layer_support/affine.js';
import type {LayerDescription} from '../src/layer_support/description.js';
import {
  inputSpecOf,
  lengthsOf,
  NormLayer,
  onlyShape,
} from '../src/layer_support/norm_layer.js';
import {
  AXIS_OPTION,
  checkBoolean,
  type OptionsOf,
} from '../src/layer_support/options.js';
import {registerLayer} from '../src/layer_support/registration.js';

/** Options of {@link LayerNorm}. */
export interface LayerNormArgs extends AffineArgs {
  /** The axis or axes that are normalized. Defaults to -1, the last. */
  axis?: Axes;
  /**
   * If true, x is divided by its standard deviation and not centered: Keras's
   * `rms_scaling`, for its models. There is a gamma, whatever `scale` says, and no beta.
   * Defaults to false.
   */
  rmsScaling?: boolean;
}

type LayerNormOptions = OptionsOf<LayerNormArgs>;

const DESCRIPTION: LayerDescription<LayerNormOptions> = {
  className: 'LayerNorm',
  kerasNames: ['LayerNormalization'],
  options: {
    axis: AXIS_OPTION,
    epsilon: epsilonOption(1e-3),
    ...AFFINE_OPTIONS,
    rmsScaling: {
      default: false,
      check: checkBoolean,
      ours: 'weights',
      isKeras3: true,
    },
  },
  parameters: AFFINE_PARAMETERS,
  counterpart: {className: 'LayerNormalization', constraints: false},
};

/**
 * Layer normalization:
 *
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`
 *
 * with mean and variance over the given axes, for each example by itself. It
 * needs no batch, so it is the same in training and in prediction, and right for
 * sequences, for transformers and for batches of any size. Where batches are
 * large and examples alike, as in convolutional networks, `BatchNorm` usually
 * trains better.
 *
 * Shape: the output has the input's, of any rank from 1. gamma and beta have the
 * lengths of the normalized axes, in ascending order.
 *
 * - `axis` (-1): an integer or a list; negative ones count from the last.
 * - `epsilon` (1e-3): added to the variance; above 0.
 * - `center`, `scale` (true): if true, there is a beta, and a gamma.
 * - `betaInitializer` (`'zeros'`), `gammaInitializer` (`'ones'`),
 *   `betaRegularizer`, `gammaRegularizer`, `betaConstraint`, `gammaConstraint`
 *   (none): names, or objects of `tf.initializers`, `tf.regularizers` and
 *   `tf.constraints`.
 * - `rmsScaling` (false): if true, `y = x / sqrt(variance + epsilon) · gamma`, whatever
 *   `scale` and `center` say. It is there for models of Keras that have it. The variance
 *   is around the mean, as always: this is not `RMSNorm`, which is the better choice.
 *
 * A mask is passed on and not used.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.dense({units: 8, inputShape: [4]}));
 * model.add(layerNorm());
 * ```
 *
 * @throws Error from the constructor if an option is unknown or out of its
 *   range; when it is built, if an axis is out of range or given twice, or if the
 *   length of a normalized axis is not known.
 *
 * @see Ba, Kiros and Hinton, "Layer Normalization", 2016,
 * https://arxiv.org/abs/1607.06450, section 3.
 */
export class LayerNorm extends NormLayer<LayerNormOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** @internal Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;

  constructor(args?: LayerNormArgs | null) {
    super(args, DESCRIPTION);
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = onlyShape(inputShape);
    const axes = this.axesFor(shape.length);
    const affine = affineOf(this.options);
    const {scale, center} = affine;
    // Where the batch size varies, axis 0 is refused even if no weight has its length.
    const needed = scale || center ? axes : axes.filter((axis) => axis === 0);
    const lengths = lengthsOf(needed, shape, this.who);
    this.addParameters(lengths, affine);
    this.inputSpec = [inputSpecOf(shape, axes)];
    super.build(inputShape);
  }

  protected override compute(x: Tensor): Tensor {
    const {epsilon, rmsScaling} = this.options;
    const normalizeOrScale = rmsScaling ? scaleExamples : normalizeExamples;
    return normalizeOrScale(x, {
      axes: this.axesFor(x.rank),
      epsilon,
      gamma: this.parameter('gamma')?.read(),
      beta: this.parameter('beta')?.read(),
    });
  }

  private axesFor(rank: number): number[] {
    return resolveAxes(this.options.axis, rank, this.who);
  }
}
registerLayer(LayerNorm);

/** Makes a {@link LayerNorm}. */
export function layerNorm(args?: LayerNormArgs): LayerNorm {
  return new LayerNorm(args);
}

/** The weights that the layer has: as in Keras, which scales by gamma in any case. */
function affineOf({
  scale,
  center,
  rmsScaling,
}: LayerNormOptions): Pick<LayerNormOptions, 'scale' | 'center'> {
  return rmsScaling ? {scale: true, center: false} : {scale, center};
}
