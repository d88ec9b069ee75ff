import {
  AFFINE_OPTIONS,
  AFFINE_PARAMETERS,
  type AffineArgs,
  epsilonOption,
} from '../src/layer_support/affine.js';
import type {LayerDescription} from '../src/layer_support/description.js';
import {GroupLayer} from '../src/layer_support/group_layer.js';
import {
  CHANNEL_AXIS_OPTION,
  type OptionsOf,
} from '../src/layer_support/options.js';
import {registerLayer} from '../src/layer_support/registration.js';

/** Options of {@link InstanceNorm}. */
export interface InstanceNormArgs extends AffineArgs {
  /** The axis of the channels. Defaults to -1, the last. */
  axis?: number;
}

type InstanceNormOptions = OptionsOf<InstanceNormArgs>;

const DESCRIPTION: LayerDescription<InstanceNormOptions> = {
  className: 'InstanceNorm',
  kerasNames: ['Addons>InstanceNormalization'],
  options: {
    axis: CHANNEL_AXIS_OPTION,
    epsilon: epsilonOption(1e-3),
    ...AFFINE_OPTIONS,
  },
  parameters: AFFINE_PARAMETERS,
  // tensorflow-addons writes -1 before it is built, and the number of channels after.
  inFiles: {groups: Number.isInteger},
  asKeras3: {className: 'GroupNormalization', config: {groups: -1}},
};

/**
 * Instance normalization:
 *
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`
 *
 * with a mean and a variance for each channel of each example, over all other axes: the
 * contrast of each example is taken out. Choose it for style transfer and for networks
 * that turn images into images. It needs no batch, so it is the same in training and in
 * prediction.
 *
 * tensorflow-addons and PyTorch have the same formula. Their `epsilon` defaults to 1e-3 and
 * 1e-5, and PyTorch's layer has neither gamma nor beta unless asked for.
 *
 * Shape: the output has the input's, of any rank from 3, the batch first; with rank 2 a
 * statistic would be of one value, and the output beta. gamma and beta
 * have one value for each channel.
 *
 * - `axis` (-1): the channels; a negative one counts from the last.
 * - `epsilon` (1e-3): added to the variance; above 0.
 * - `center`, `scale` (true): if true, there is a beta, and a gamma.
 * - `betaInitializer` (`'zeros'`), `gammaInitializer` (`'ones'`),
 *   `betaRegularizer`, `gammaRegularizer`, `betaConstraint`, `gammaConstraint`
 *   (none): names, or objects of `tf.initializers`, `tf.regularizers` and
 *   `tf.constraints`.
 *
 * A mask is passed on and not used.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.conv2d({filters: 8, kernelSize: 3, inputShape: [9, 9, 3]}));
 * model.add(instanceNorm());
 * ```
 *
 * @throws Error from the constructor if an option is unknown or out of its range; when it
 *   is built, if the axis is out of range or the batch's, or if the number of channels is
 *   not known.
 *
 * @see Ulyanov, Vedaldi and Lempitsky, "Instance Normalization", 2016,
 * https://arxiv.org/abs/1607.08022.
 */
export class InstanceNorm extends GroupLayer<InstanceNormOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** @internal Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;

  constructor(args?: InstanceNormArgs | null) {
    super(args, DESCRIPTION);
  }

  protected override groupsOf(channels: number): number {
    return channels;
  }
}
registerLayer(InstanceNorm);

/** Makes an {@link InstanceNorm}. */
export function instanceNorm(args?: InstanceNormArgs): InstanceNorm {
  return new InstanceNorm(args);
}
