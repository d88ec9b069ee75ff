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
import {groupCount} from '../src/ops/group_norm.js';
import {refusal} from '../src/util/received.js';

/** Options of {@link GroupNorm}. */
export interface GroupNormArgs extends AffineArgs {
  /** The number of groups; -1 is one for each channel. Defaults to 32. */
  groups?: number;
  /** The axis of the channels. Defaults to -1, the last. */
  axis?: number;
}

type GroupNormOptions = OptionsOf<GroupNormArgs>;

const DESCRIPTION: LayerDescription<GroupNormOptions> = {
  className: 'GroupNormalization',
  label: 'GroupNorm',
  kerasNames: ['GroupNormalization', 'Addons>GroupNormalization'],
  options: {
    groups: {default: 32, check: checkGroups},
    axis: CHANNEL_AXIS_OPTION,
    epsilon: epsilonOption(1e-3),
    ...AFFINE_OPTIONS,
  },
  parameters: AFFINE_PARAMETERS,
};

/**
 * Group normalization:
 *
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`
 *
 * with a mean and a variance for each example and each group of neighbouring channels,
 * over the channels of the group and all axes but the batch's. It needs no batch, so it
 * is the same in training and in prediction: choose it for images where memory allows for
 * only a few examples at a time, as in detection and segmentation. With one group it
 * normalizes the whole example; with one for each channel it is `InstanceNorm`.
 *
 * Shape: the output has the input's, of any rank from 2, the batch first. gamma and beta
 * have one value for each channel.
 *
 * - `groups` (32): a divisor of the number of channels; -1 is one group for each channel.
 * - `axis` (-1): the channels; a negative one counts from the last.
 * - `epsilon` (1e-3): added to the variance; above 0.
 * - `center`, `scale` (true): if true, there is a beta, and a gamma.
 * - `betaInitializer` (`'zeros'`), `gammaInitializer` (`'ones'`),
 *   `betaRegularizer`, `gammaRegularizer`, `betaConstraint`, `gammaConstraint`
 *   (none): names, or objects of `tf.initializers`, `tf.regularizers` and
 *   `tf.constraints`.
 *
 * A mask is passed on and not used. In model files its class is `GroupNormalization`, as
 * in Keras, whose models load.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.conv2d({filters: 8, kernelSize: 3, inputShape: [9, 9, 3]}));
 * model.add(groupNorm({groups: 4}));
 * ```
 *
 * @throws Error from the constructor if an option is unknown or out of its range; when it
 *   is built, if the axis is out of range or the batch's, if the number of channels is not
 *   known, or if the groups do not divide it.
 *
 * @see Wu and He, "Group Normalization", 2018, https://arxiv.org/abs/1803.08494, section 3.
 */
export class GroupNorm extends GroupLayer<GroupNormOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** @internal Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;

  constructor(args?: GroupNormArgs | null) {
    super(args, DESCRIPTION);
  }

  protected override groupsOf(channels: number): number {
    return groupCount(this.options.groups, channels, this.who);
  }
}
registerLayer(GroupNorm);

/** Makes a {@link GroupNorm}. */
export function groupNorm(args?: GroupNormArgs): GroupNorm {
  return new GroupNorm(args);
}

function checkGroups(value: unknown, name: string, who: string): void {
  if (Number.isInteger(value) && (value === -1 || Number(value) > 0)) return;
  throw refusal(
    who,
    `${name} must be an integer above 0, or -1 for one group a channel`,
    name,
    value,
  );
}
