import type {serialization, Tensor} from '@tensorflow/tfjs-core';
import type {Shape} from '@tensorflow/tfjs-layers';
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
  CHANNEL_AXIS_OPTION,
  type OptionsOf,
} from '../src/layer_support/options.js';
import {registerLayer} from '../src/layer_support/registration.js';
import {resolveAxes} from '../src/ops/axes.js';
import {normalizeByDeviation} from '../src/ops/deviation_norm.js';
import {channelAxis} from '../src/ops/group_norm.js';
import {InstanceNorm} from './instance_norm.js';

interface ContribInstanceNormArgs extends AffineArgs {
  axis?: number | null;
}

type ContribInstanceNormOptions = OptionsOf<ContribInstanceNormArgs>;

const DESCRIPTION: LayerDescription<ContribInstanceNormOptions> = {
  className: 'InstanceNormalization',
  label: 'ContribInstanceNorm',
  kerasNames: ['InstanceNormalization'],
  options: {
    axis: {...CHANNEL_AXIS_OPTION, default: null, takesNull: true},
    epsilon: epsilonOption(1e-3),
    ...AFFINE_OPTIONS,
  },
  parameters: AFFINE_PARAMETERS,
  asKeras3: null,
};

/**
 * The instance normalization of keras-contrib, for loading its models; in a new model,
 * choose `InstanceNorm`:
 *
 * `y = (x − mean) / (sqrt(variance) + epsilon) · gamma + beta`
 *
 * with a mean and a variance for each channel of each example or, where `axis` is null, for
 * each example. gamma and beta have a value for each channel, or one.
 *
 * In a file, a layer of this name with `groups` among its options is one of
 * tensorflow-addons, and becomes an `InstanceNorm`.
 */
export class ContribInstanceNorm extends NormLayer<ContribInstanceNormOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;

  constructor(args?: ContribInstanceNormArgs | null) {
    super(args, DESCRIPTION);
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = onlyShape(inputShape);
    const axis = this.axisFor(shape.length);
    const axes = axis === null ? [] : [axis];
    this.addParameters(axis === null ? [1] : lengthsOf(axes, shape, this.who));
    this.inputSpec = [inputSpecOf(shape, axes)];
    super.build(inputShape);
  }

  protected override compute(x: Tensor): Tensor {
    return normalizeByDeviation(x, {
      axis: this.axisFor(x.rank),
      epsilon: this.options.epsilon,
      gamma: this.parameter('gamma')?.read(),
      beta: this.parameter('beta')?.read(),
    });
  }

  private axisFor(rank: number): number | null {
    const {axis} = this.options;
    if (axis === null) return null;
    return channelAxis(resolveAxes(axis, rank, this.who), axis, this.who);
  }

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    return 'groups' in config
      ? (super.fromConfig(InstanceNorm, config) as unknown as T)
      : super.fromConfig(cls, config);
  }
}
registerLayer(ContribInstanceNorm);
