import {serialization, Tensor, tidy} from '@tensorflow/tfjs-core';
import {
  InputSpec,
  layers,
  type LayerVariable,
  type Shape,
  SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import {knownOptions} from '../ops/known_options.js';
import {toFloat} from '../ops/to_float.js';
import {dropForeignKeys} from './foreign_config.js';
import type {Constraint, Initializer, Regularizer} from './objects.js';
import {completeOptions, type LayerArgs} from './options.js';
import {ONE_COPY} from './one_copy.js';
import {projectOnRead} from './projected_weight.js';
import {warnOnce} from '../util/warn_once.js';

/** What `apply` and `call` take beside the input. */
export interface CallOptions {
  /** If true, or another truthy value, this is a step of training, as in `model.fit`. */
  training?: boolean;
  /** Which positions of the input count, for layers that use a mask. */
  mask?: Tensor | Tensor[] | null;
}

/** What `apply` takes. */
export type ApplyInput = Parameters<layers.Layer['apply']>[0];

/** What `apply` gives. */
export type ApplyOutput = ReturnType<layers.Layer['apply']>;
const CALL_OPTIONS: ReadonlyArray<keyof CallOptions> = ['training', 'mask'];

/** How a weight is made. */
export interface WeightOptions {
  shape: Shape;
  initializer: Initializer;
  regularizer?: Regularizer | null;
  constraint?: Constraint | null;
  trainable?: boolean;
}

/** What every layer of this package does, whatever it computes. */
export abstract class NormLayer<Options extends object> extends layers.Layer {
  /** The layer's own options as they were given, defaults filled in. */
  protected readonly options: Options;

  constructor(args: LayerArgs, defaults: Options) {
    super(args);
    this.supportsMasking = true;
    this.options = completeOptions(args, defaults, this.who);
  }

  /** The layer as messages name it. */
  protected get who(): string {
    return `${this.getClassName()} ${this.name}`;
  }

  /** The layer's output for an input in float32. Runs inside a tidy. */
  protected abstract compute(x: Tensor, options: CallOptions): Tensor;

  /**
   * @throws Error if the input belongs to another copy of tfjs, or if an option is
   *   unknown where a program calls the layer.
   */
  override apply(inputs: ApplyInput, kwargs?: CallOptions): ApplyOutput {
    // A model gives all of its layers, in lists, what it was called with.
    const isDirect = !Array.isArray(inputs);
    if (isDirect && kwargs != null) {
      knownOptions(kwargs, CALL_OPTIONS, this.who);
    }
    for (const input of [inputs].flat()) this.checkOrigin(input);
    return super.apply(inputs, kwargs);
  }

  override call(inputs: Tensor | Tensor[], kwargs: CallOptions = {}): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      return this.compute(onlyInput(inputs), kwargs);
    });
  }

  /** Adds a weight that holds its constraint whenever it is read. */
  protected addParameter(name: string, options: WeightOptions): LayerVariable {
    const {shape, initializer, regularizer, constraint, trainable} = options;
    const weight = this.addWeight(
      name,
      shape,
      'float32',
      initializer,
      regularizer ?? undefined,
      trainable ?? true,
    );
    if (constraint) projectOnRead(weight, constraint);
    return weight;
  }

  /** Warns on the console, once a layer for each topic. */
  protected warnOnce(topic: string, message: string): void {
    warnOnce(this, this.who, topic, message);
  }

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    return new cls(dropForeignKeys(config, cls.className));
  }

  private checkOrigin(input: unknown): void {
    if (input instanceof SymbolicTensor || input instanceof Tensor) return;
    const foreign = (input as {sourceLayer?: unknown} | null)?.sourceLayer;
    if (foreign === undefined) return;
    throw new Error(
      `${this.who}: the input comes from another copy of TensorFlow.js than ` +
        `the one this layer was made with. ${ONE_COPY} ` +
        `Received: inputs=a SymbolicTensor of that copy`,
    );
  }
}

/** A layer's only input, in float32. */
export function onlyInput(inputs: Tensor | Tensor[]): Tensor {
  const [x] = [inputs].flat();
  if (x === undefined) throw new Error('a layer is called without an input');
  return toFloat(x);
}

/** The shape of a layer's only input. */
export function onlyShape(shape: Shape | Shape[]): Shape {
  return (Array.isArray(shape[0]) ? shape[0] : shape) as Shape;
}

/**
 * The lengths of these axes.
 *
 * @throws Error if one of them is not known when the layer is built.
 */
export function lengthsOf(
  axes: readonly number[],
  inputShape: Shape,
  who: string,
): number[] {
  return axes.map((axis) => {
    const length = inputShape[axis];
    if (typeof length === 'number') return length;
    throw new Error(
      `${who}: Axis ${axis} of input tensor should have a defined dimension. ` +
        `Received: inputShape=${JSON.stringify(inputShape)}`,
    );
  });
}

/** What lets tfjs refuse inputs of another rank, or of other lengths on these axes. */
export function inputSpecOf(shape: Shape, axes: readonly number[]): InputSpec {
  const known: Record<number, number> = {};
  for (const axis of axes) {
    const length = shape[axis];
    if (typeof length === 'number') known[axis] = length;
  }
  return new InputSpec({ndim: shape.length, axes: known});
}
