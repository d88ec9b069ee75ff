import {serialization, Tensor, tidy} from '@tensorflow/tfjs-core';
import {
  InputSpec,
  layers,
  type LayerVariable,
  type Shape,
  SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import {checkIsObject, knownOptions} from '../ops/known_options.js';
import {toFloat} from '../ops/to_float.js';
import {
  hasParameter,
  type LayerDescription,
  optionsAbout,
  optionsOf,
  type ParameterDescription,
} from './description.js';
import {dropForeignKeys} from './foreign_config.js';
import {
  type Constraint,
  type Initializer,
  type MaybeObject,
  parseObject,
  type Regularizer,
  serializeObject,
} from './objects.js';
import {completeOptions, type LayerArgs, ownCopy} from './options.js';
import {ONE_COPY} from './one_copy.js';
import {projectOnRead} from './projected_weight.js';
import {listOf} from '../util/at.js';
import {warnOnce} from '../util/warnings.js';

/** The arguments of `apply` and `call` beside the input. */
export interface CallOptions {
  /** If true, or another truthy value, this is a step of training, as in `model.fit`. */
  training?: boolean;
  /** The positions of the input that count, for layers that use a mask. */
  mask?: Tensor | Tensor[] | null;
}

/** The input of `apply`. */
export type ApplyInput = Parameters<layers.Layer['apply']>[0];

/** The output of `apply`. */
export type ApplyOutput = ReturnType<layers.Layer['apply']>;
const CALL_OPTIONS: ReadonlyArray<keyof CallOptions> = ['training', 'mask'];

/** The base of every layer of this package, which reads the layer's description. */
export abstract class NormLayer<Options extends object> extends layers.Layer {
  /** The layer's own options as they were given, defaults filled in. */
  protected readonly options: Options;
  private readonly description: LayerDescription;
  /** The initializers, regularizers and constraints, by the names of their options. */
  private readonly objects: Readonly<Record<string, MaybeObject>>;
  private readonly parameters = new Map<string, LayerVariable>();

  constructor(
    args: LayerArgs | null | undefined,
    description: LayerDescription<Options>,
  ) {
    const own = args ?? {};
    checkIsObject(own, 'options', description.label ?? description.className);
    super(own);
    this.supportsMasking = true;
    this.description = description;
    const options = completeOptions(own, description, this.who);
    this.options = options;
    const values = options as Record<string, unknown>;
    for (const [name, {check}] of Object.entries(optionsOf(description))) {
      // Null is left only where it is the default, or a value of its own.
      if (values[name] !== null) check(values[name], name, this.who);
    }
    this.objects = Object.fromEntries(
      description.parameters
        .flatMap((each) => Object.keys(optionsAbout(each)))
        .map((name) => [name, parseObject(values[name], name, this.who)]),
    );
  }

  /** The layer as messages name it. */
  protected get who(): string {
    const {className, label = className} = forClass(
      this.description,
      this.getClassName(),
    );
    return `${label} ${this.name}`;
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
    for (const input of listOf<unknown>(inputs)) this.checkOrigin(input);
    return super.apply(inputs, kwargs);
  }

  override call(inputs: Tensor | Tensor[], kwargs: CallOptions = {}): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      return this.compute(onlyInput(inputs), kwargs);
    });
  }

  /**
   * Adds the weights of the description that the options ask for. They hold their
   * constraints whenever they are read.
   *
   * @param shape The shape of all but those that are one number.
   * @param options The options that ask for them. Defaults to the layer's.
   */
  protected addParameters(shape: Shape, options: object = this.options): void {
    for (const each of this.description.parameters) {
      if (!hasParameter(each, options)) continue;
      const {name, option, learns = false, isScalar, dtype = 'float32'} = each;
      const about = (suffix: string): unknown =>
        this.objects[`${String(option)}${suffix}`] ?? undefined;
      const weight = this.addWeight(
        name,
        isScalar ? [] : shape,
        dtype,
        this.initializerOf(each),
        about('Regularizer') as Regularizer | undefined,
        learns,
      );
      const constraint = about('Constraint') as Constraint | undefined;
      if (constraint) projectOnRead(weight, constraint);
      this.nameAsInModel(weight);
      this.parameters.set(name, weight);
    }
  }

  /**
   * Puts the layer's name before that of a weight, as in a model. tf.js does so only
   * while it applies a layer: of one that is built by itself, files would have bare names,
   * which are alike for two layers and fit no model that loads them.
   */
  protected nameAsInModel(weight: LayerVariable): void {
    const {originalName} = weight;
    if (originalName.includes('/')) return;
    Object.assign(weight, {originalName: `${this.name}/${originalName}`});
  }

  /** A weight by its name; undefined if the layer has none, or is not built. */
  protected parameter(name: string): LayerVariable | undefined {
    return this.parameters.get(name);
  }

  /** The initializer of a weight. */
  protected initializerOf({
    option,
    initializer,
  }: ParameterDescription): Initializer {
    const name = `${String(option)}Initializer`;
    return (this.objects[name] ??
      parseObject(initializer, name, this.who)) as Initializer;
  }

  /** Warns on the console, once a layer for each topic. */
  protected warnOnce(topic: string, message: string): void {
    warnOnce(this, this.who, topic, message);
  }

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const {description} = cls as unknown as {description: LayerDescription};
    return new cls(
      dropForeignKeys(config, forClass(description, cls.className)),
    );
  }

  override getConfig(): serialization.ConfigDict {
    const {options, description} = this;
    const values = options as serialization.ConfigDict;
    const own = Object.keys(description.options).map((name) => [
      name,
      ownCopy(values[name]),
    ]);
    const objects = Object.entries(this.objects).map(([name, object]) => [
      name,
      serializeObject(object),
    ]);
    return {
      ...(Object.fromEntries([...own, ...objects]) as serialization.ConfigDict),
      ...super.getConfig(),
    };
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

/** The description, under the name of a subclass of the user's. */
function forClass(
  description: LayerDescription,
  className: string,
): LayerDescription {
  return className === description.className
    ? description
    : {...description, className, label: className};
}

/** A layer's only input, in float32. */
export function onlyInput(inputs: Tensor | Tensor[]): Tensor {
  const [x] = listOf(inputs);
  if (x === undefined) throw new Error('a layer needs an input');
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

/** Has tfjs refuse inputs of another rank, or of other lengths on these axes. */
export function inputSpecOf(shape: Shape, axes: readonly number[]): InputSpec {
  const known: Record<number, number> = {};
  for (const axis of axes) {
    const length = shape[axis];
    if (typeof length === 'number') known[axis] = length;
  }
  return new InputSpec({ndim: shape.length, axes: known});
}
