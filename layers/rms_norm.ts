import type {Tensor} from '@tensorflow/tfjs-core';
import type {Shape} from '@tensorflow/tfjs-layers';
import {epsilonOption} from '../src/layer_support/affine.js';
import {
  type LayerDescription,
  optionsAbout,
  type ParameterDescription,
} from '../src/layer_support/description.js';
import {
  inputSpecOf,
  lengthsOf,
  NormLayer,
  onlyShape,
} from '../src/layer_support/norm_layer.js';
import type {
  Constraint,
  Initializer,
  ObjectOption,
  Regularizer,
} from '../src/layer_support/objects.js';
import {
  AXIS_OPTION,
  type LayerArgs,
  type OptionsOf,
} from '../src/layer_support/options.js';
import {registerLayer} from '../src/layer_support/registration.js';
import {type Axes, resolveAxes} from '../src/ops/axes.js';
import {normalizeExamples} from '../src/ops/example_norm.js';

/** Options of {@link RMSNorm}. */
export interface RMSNormArgs extends LayerArgs {
  /** The axis or axes that are normalized. Defaults to -1, the last. */
  axis?: Axes;
  /** Added to the mean of squares. Above 0. Defaults to 1e-6. */
  epsilon?: number;
  /** Initializer of the scale. Defaults to `'ones'`. */
  scaleInitializer?: ObjectOption<Initializer>;
  /** Regularizer of the scale. Defaults to none. */
  scaleRegularizer?: ObjectOption<Regularizer>;
  /** Constraint that the scale holds after every update. Defaults to none. */
  scaleConstraint?: ObjectOption<Constraint>;
}

type RMSNormOptions = OptionsOf<RMSNormArgs>;

const SCALE: ParameterDescription = {
  name: 'scale',
  option: 'scale',
  initializer: 'ones',
  learns: true,
};

const DESCRIPTION: LayerDescription<RMSNormOptions> = {
  className: 'RMSNormalization',
  label: 'RMSNorm',
  kerasNames: ['RMSNormalization'],
  options: {axis: AXIS_OPTION, epsilon: epsilonOption(1e-6)},
  parameters: [SCALE],
  notInKeras3: Object.keys(optionsAbout(SCALE)),
};

/**
 * Normalization by the root mean square:
 *
 * `y = x / sqrt(mean(x²) + epsilon) · scale`
 *
 * over the given axes, for each example by itself. It is layer normalization without the
 * mean, which saves a pass and trains as well in most transformers; recent language models
 * use it. It is the same in training and in prediction.
 *
 * Shape: the output has the input's, of any rank from 1. scale has the lengths of the
 * normalized axes, in ascending order.
 *
 * - `axis` (-1): an integer or a list; negative ones count from the last.
 * - `epsilon` (1e-6): added to the mean of squares; above 0.
 * - `scaleInitializer` (`'ones'`), `scaleRegularizer`, `scaleConstraint` (none): names, or
 *   objects of `tf.initializers`, `tf.regularizers` and `tf.constraints`.
 *
 * A mask is passed on and not used. In model files its class is `RMSNormalization`, as in
 * Keras, whose models load by `fromKeras`.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.dense({units: 8, inputShape: [4]}));
 * model.add(rmsNorm());
 * ```
 *
 * @throws Error from the constructor if an option is unknown or out of its
 *   range; when it is built, if an axis is out of range or given twice, or if the
 *   length of a normalized axis is not known.
 *
 * @see Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019,
 * https://arxiv.org/abs/1910.07467, section 4.
 */
export class RMSNorm extends NormLayer<RMSNormOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** @internal Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;

  constructor(args?: RMSNormArgs | null) {
    super(args, DESCRIPTION);
  }

  override build(inputShape: Shape | Shape[]): void {
    const shape = onlyShape(inputShape);
    const axes = resolveAxes(this.options.axis, shape.length, this.who);
    this.addParameters(lengthsOf(axes, shape, this.who));
    this.inputSpec = [inputSpecOf(shape, axes)];
    super.build(inputShape);
  }

  protected override compute(x: Tensor): Tensor {
    const {axis, epsilon} = this.options;
    return normalizeExamples(x, {
      axes: resolveAxes(axis, x.rank, this.who),
      epsilon,
      subtractMean: false,
      gamma: this.parameter(SCALE.name)?.read(),
    });
  }
}
registerLayer(RMSNorm);

/** Makes an {@link RMSNorm}. */
export function rmsNorm(args?: RMSNormArgs): RMSNorm {
  return new RMSNorm(args);
}
