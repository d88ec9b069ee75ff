import type {Tensor} from '@tensorflow/tfjs-core';
import type {Shape} from '@tensorflow/tfjs-layers';
import type {LayerDescription} from '../src/layer_support/description.js';
import {
  inputSpecOf,
  NormLayer,
  onlyShape,
} from '../src/layer_support/norm_layer.js';
import {
  AXIS_OPTION,
  type LayerArgs,
  type OptionsOf,
} from '../src/layer_support/options.js';
import {registerLayer} from '../src/layer_support/registration.js';
import {type Axes, resolveAxes} from '../src/ops/axes.js';
import {normalizeLength} from '../src/ops/unit_norm.js';
import {refusal} from '../src/util/received.js';

/** Options of {@link UnitNorm}. */
export interface UnitNormArgs extends LayerArgs {
  /** The axis or axes of a vector, not the batch's. Defaults to -1, the last. */
  axis?: Axes;
}

type UnitNormOptions = OptionsOf<UnitNormArgs>;

/** As in Keras 3. */
const SHORTEST = 1e-12;

const DESCRIPTION: LayerDescription<UnitNormOptions> = {
  className: 'UnitNormalization',
  label: 'UnitNorm',
  kerasNames: ['UnitNormalization'],
  options: {axis: AXIS_OPTION},
  parameters: [],
};

/**
 * Normalization to a length of 1:
 *
 * `y = x / sqrt(Σ x²)`
 *
 * with the sum over the given axes, for each example by itself: what remains of a vector
 * is its direction. Choose it before products of vectors that are to be cosines of their
 * angles, as in metric learning, retrieval and face recognition. It has no weights, and is
 * the same in training and in prediction. To train deep networks, choose `LayerNorm` or
 * `RMSNorm`, which keep values near 1 whatever the length of the vector is.
 *
 * A vector shorter than 1e-12 is multiplied by 1e12, as in Keras 3, and zeros stay zeros;
 * their gradient is zero, too. Lengths that float32 can hold are right even where their
 * squares are too large or too small for it.
 *
 * Shape: the output has the input's, of any rank from 2, the batch first.
 *
 * - `axis` (-1): an integer or a list; negative ones count from the last.
 *
 * A mask is passed on and not used. In model files its class is `UnitNormalization`, as in
 * Keras, whose models load; Keras 2 has 1e-6 in the place of 1e-12.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.dense({units: 8, inputShape: [4]}));
 * model.add(unitNorm());
 * ```
 *
 * @throws Error from the constructor if an option is unknown or `axis` is not made of
 *   integers; when it is built, if an axis is out of range, given twice or the batch's.
 *
 * @see Schroff, Kalenichenko and Philbin, "FaceNet", 2015, https://arxiv.org/abs/1503.03832,
 * section 3.
 */
export class UnitNorm extends NormLayer<UnitNormOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** @internal Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;

  constructor(args?: UnitNormArgs | null) {
    super(args, DESCRIPTION);
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = onlyShape(inputShape);
    this.axesFor(shape.length);
    this.inputSpec = [inputSpecOf(shape, [])];
    super.build(inputShape);
  }

  protected override compute(x: Tensor): Tensor {
    return normalizeLength(x, this.axesFor(x.rank), SHORTEST);
  }

  private axesFor(rank: number): number[] {
    const {axis} = this.options;
    const axes = resolveAxes(axis, rank, this.who);
    if (!axes.includes(0)) return axes;
    throw refusal(this.who, `axis must not be the batch's`, 'axis', axis);
  }
}
registerLayer(UnitNorm);

/** Makes a {@link UnitNorm}. */
export function unitNorm(args?: UnitNormArgs): UnitNorm {
  return new UnitNorm(args);
}
