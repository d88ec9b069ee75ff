import type {serialization, Tensor} from '@tensorflow/tfjs-core';
import type {Shape} from '@tensorflow/tfjs-layers';
import {type Axes, checkAxes, resolveAxes} from '../src/ops/axes.js';
import {normalizeExamples} from '../src/ops/example_norm.js';
import {
  AFFINE_DEFAULTS,
  type AffineArgs,
  AffineLayer,
  type AffineOptions,
} from '../src/layer_support/affine.js';
import {
  onlyShape,
  lengthsOf,
  inputSpecOf,
} from '../src/layer_support/norm_layer.js';
import {copyAxes, refuseUnavailable} from '../src/layer_support/options.js';
import {registerLayer} from '../src/layer_support/registration.js';

/** Options of {@link LayerNorm}. */
export interface LayerNormArgs extends AffineArgs {
  /** The axis or axes that are normalized. Defaults to -1, the last. */
  axis?: Axes;
}

interface LayerNormOptions extends AffineOptions {
  axis: Axes;
}

const DEFAULTS: LayerNormOptions = {axis: -1, ...AFFINE_DEFAULTS};

const UNAVAILABLE = {rmsScaling: false};

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
 * - `center`, `scale` (true): whether there is a beta, and a gamma.
 * - `betaInitializer` (`'zeros'`), `gammaInitializer` (`'ones'`),
 *   `betaRegularizer`, `gammaRegularizer`, `betaConstraint`, `gammaConstraint`
 *   (none): names, or what `tf.initializers` and its like make.
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
 * Ba, Kiros and Hinton, "Layer Normalization", 2016,
 * https://arxiv.org/abs/1607.06450, section 3.
 */
export class LayerNorm extends AffineLayer<LayerNormOptions> {
  /** The name in model files. */
  static readonly className: string = 'LayerNorm';

  constructor(args?: LayerNormArgs | null) {
    super(refuseUnavailable(args ?? {}, UNAVAILABLE, 'LayerNorm'), DEFAULTS);
    checkAxes(this.options.axis, this.who);
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = onlyShape(inputShape);
    const axes = this.axesFor(shape.length);
    const {scale, center} = this.options;
    // The batch has no length of its own that a layer could be about.
    const needed = scale || center ? axes : axes.filter((axis) => axis === 0);
    const lengths = lengthsOf(needed, shape, this.who);
    if (scale || center) this.addAffine(lengths);
    this.inputSpec = [inputSpecOf(shape, axes)];
    super.build(inputShape);
  }

  protected override compute(x: Tensor): Tensor {
    const {epsilon} = this.options;
    return normalizeExamples(x, {
      axes: this.axesFor(x.rank),
      epsilon,
      ...this.readAffine(),
    });
  }

  private axesFor(rank: number): number[] {
    return resolveAxes(this.options.axis, rank, this.who);
  }

  override getConfig(): serialization.ConfigDict {
    return {
      axis: copyAxes(this.options.axis),
      ...this.affineConfig(),
      ...super.getConfig(),
    };
  }
}
registerLayer(LayerNorm);

/** Makes a {@link LayerNorm}. */
export function layerNorm(args?: LayerNormArgs): LayerNorm {
  return new LayerNorm(args);
}
