import type {serialization, Tensor} from '@tensorflow/tfjs-core';
import {layers, type LayerVariable, type Shape} from '@tensorflow/tfjs-layers';
import type {
  LayerDescription,
  ParameterDescription,
} from '../src/layer_support/description.js';
import {nameIn} from '../src/layer_support/foreign_config.js';
import {type CallOptions, NormLayer} from '../src/layer_support/norm_layer.js';
import {
  checkBoolean,
  checkCount,
  type LayerArgs,
  type OptionsOf,
} from '../src/layer_support/options.js';
import {registerLayer} from '../src/layer_support/registration.js';
import {
  deserializeLayer,
  kernelOf,
  makeReplaceable,
  type ReadAs,
  serializeLayer,
} from '../src/layer_support/wrapped_layer.js';
import {normalizeSpectrally} from '../src/ops/spectral_norm.js';
import {refusal} from '../src/util/received.js';

/** Options of {@link SpectralNorm}. */
export interface SpectralNormArgs extends LayerArgs {
  /** The layer whose kernel is normalized. */
  layer: layers.Layer;
  /** The number of power iterations in each call. Defaults to 1. */
  powerIterations?: number;
  /**
   * If true, prediction uses the kernel as it is, until the first step of training.
   * Defaults to false; true for a model of Keras, which stores the normalized kernel.
   */
  kernelIsNormalized?: boolean;
}

type SpectralNormOptions = OptionsOf<SpectralNormArgs>;

const VECTOR_U: ParameterDescription = {
  name: 'vector_u',
  initializer: 'truncatedNormal',
};

const DESCRIPTION: LayerDescription<SpectralNormOptions> = {
  className: 'SpectralNormalization',
  label: 'SpectralNorm',
  kerasNames: ['SpectralNormalization'],
  options: {
    layer: {default: undefined as never, check: checkLayer},
    powerIterations: {default: 1, check: checkCount},
    kernelIsNormalized: {default: false, check: checkBoolean},
  },
  parameters: [VECTOR_U],
  notInKeras3: ['kernelIsNormalized'],
};

/**
 * Spectral normalization of the layer inside:
 *
 * `y = layer(x)` with the kernel `W / σ(W)`
 *
 * where σ is the largest singular value of W, as a matrix with its last axis as columns:
 * the most by which the layer can stretch a vector becomes 1. Choose it for the
 * discriminator of a GAN, whose slope it bounds, and wherever the slope of a network needs
 * a known bound. It does not normalize activations: for that, choose a layer such as
 * `BatchNorm` or `LayerNorm`.
 *
 * σ is estimated by power iteration, `v = uWᵀ / |uWᵀ|`, `u = vW / |vW|`, `σ = vWuᵀ`, which
 * goes on from one step of training to the next in the weight `vector_u`. Gradients flow
 * through σ, where u and v are constants. Prediction divides by σ too, and moves nothing.
 * The kernel of the layer inside is never written: it is what `getWeights` and files hold,
 * and what its regularizer and constraint act on.
 *
 * Keras writes `W / σ` to the kernel in every step of training, and predicts with the
 * stored kernel, which it does not divide again. So a model of Keras has
 * `kernelIsNormalized`, and predicts as in Keras until its first step of training here.
 *
 * Shape: the input and the output are those of the layer inside. vector_u is of shape
 * [1, n], where n is the length of the kernel's last axis.
 *
 * - `layer`: a layer with one kernel or with embeddings: `dense`, a convolution other than
 *   `separableConv2d`, `embedding`, or a custom layer with a `kernel`.
 * - `powerIterations` (1): steps of the power iteration in each call.
 * - `kernelIsNormalized` (false): if true, prediction uses the kernel as it is until the
 *   first step of training. A file that does not say, as Keras's, has true.
 *
 * It is trainable if the layer inside is; frozen, it moves nothing. A mask is passed on
 * where the layer inside does. In model files its class is `SpectralNormalization`, as in
 * Keras, whose models load.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(spectralNorm({layer: tf.layers.dense({units: 8}), inputShape: [4]}));
 * ```
 *
 * @throws Error from the constructor if an option is unknown or out of its range, or if
 *   there is no layer; when it is built, if the layer inside has no kernel, or two.
 *
 * @see Miyato, Kataoka, Koyama and Yoshida, "Spectral Normalization for Generative Adversarial
 * Networks", 2018, https://arxiv.org/abs/1802.05957, section 2.1 and appendix A.
 */
export class SpectralNorm extends NormLayer<SpectralNormOptions> {
  /** The name in model files. */
  static readonly className: string = DESCRIPTION.className;
  /** @internal Read by the tools for whole models. */
  static readonly description: LayerDescription = DESCRIPTION;
  /** The layer inside. */
  readonly layer: layers.Layer;
  private wrappedKernel: LayerVariable | undefined;
  private readKernelAs: ReadAs | undefined;

  constructor(args: SpectralNormArgs) {
    super(args, DESCRIPTION);
    this.layer = this.options.layer;
    this.supportsMasking = this.layer.supportsMasking;
    if (args.trainable === false) this.layer.trainable = false;
  }

  override build(inputShape: Shape | Shape[]): void {
    const {layer} = this;
    if (!layer.built) {
      layer.build(inputShape);
      layer.built = true;
      for (const weight of layer.weights) this.nameAsInModel(weight);
    }
    const kernel = kernelOf(layer, this.who);
    this.addParameters([1, kernel.shape[kernel.shape.length - 1] ?? null]);
    this.wrappedKernel = kernel;
    this.readKernelAs = makeReplaceable(kernel);
    this.inputSpec = layer.inputSpec;
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
    return this.layer.computeOutputShape(inputShape);
  }

  protected override compute(x: Tensor, options: CallOptions): Tensor {
    const {layer, wrappedKernel, readKernelAs, trainable} = this;
    const vector = this.parameter(VECTOR_U.name);
    const run = (): Tensor => onlyOutput(layer.call(x, {...options}));
    const training = Boolean(options.training) && trainable;
    const {powerIterations, kernelIsNormalized} = this.options;
    const isAsStored = kernelIsNormalized && !training;
    if (!wrappedKernel || !readKernelAs || !vector || isAsStored) return run();
    const {kernel, u} = normalizeSpectrally(
      wrappedKernel.read(),
      vector.read(),
      powerIterations,
    );
    if (training) {
      vector.write(u);
      this.options.kernelIsNormalized = false;
    }
    return readKernelAs(kernel, run);
  }

  // As tf.js's own wrappers, whose base class it does not export.

  /** If true, the layer inside trains. */
  override get trainable(): boolean {
    // While the constructor of tf.js's layer runs, there is no layer inside yet.
    const {layer} = this as {readonly layer?: layers.Layer};
    return layer?.trainable ?? super.trainable;
  }

  /** Sets it for the layer inside, too. */
  override set trainable(trainable: boolean) {
    super.trainable = trainable;
    this.layer.trainable = trainable;
  }

  /** The weights of the layer inside that train. */
  override get trainableWeights(): LayerVariable[] {
    return this.layer.trainableWeights;
  }

  /** Those of the layer inside that do not train, then vector_u. */
  override get nonTrainableWeights(): LayerVariable[] {
    return [...this.layer.nonTrainableWeights, ...super.nonTrainableWeights];
  }

  /** The regularization losses of the layer inside. */
  override get losses(): layers.Layer['losses'] {
    return this.layer.losses;
  }

  override setFastWeightInitDuringBuild(value: boolean): void {
    super.setFastWeightInitDuringBuild(value);
    this.layer.setFastWeightInitDuringBuild(value);
  }

  /** The options, with the layer inside as a model JSON has it. */
  override getConfig(): serialization.ConfigDict {
    return {...super.getConfig(), layer: serializeLayer(this.layer)};
  }

  /** Makes a layer from what `getConfig` gave, or from a config of Keras. */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const layer = deserializeLayer(
      config.layer,
      `SpectralNorm ${nameIn(config)}`,
    );
    return super.fromConfig(cls, {
      kernelIsNormalized: true,
      ...config,
      layer: layer as serialization.ConfigDictValue,
    });
  }
}
registerLayer(SpectralNorm);

/** Makes a {@link SpectralNorm}. */
export function spectralNorm(args: SpectralNormArgs): SpectralNorm {
  return new SpectralNorm(args);
}

function checkLayer(value: unknown, name: string, who: string): void {
  if (value instanceof layers.Layer) return;
  throw refusal(
    who,
    `${name} must be a layer of tf.js, as tf.layers.dense makes`,
    name,
    value,
  );
}

function onlyOutput(outputs: Tensor | Tensor[]): Tensor {
  const [y] = [outputs].flat();
  if (y === undefined) throw new Error('a layer has no output');
  return y;
}
