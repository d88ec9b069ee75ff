/*
 * A layer states itself once. Its constructor, getConfig, fromConfig and the tools that
 * work on whole models (fromKeras, toStock, convertModel, the patch) read it here.
 */

/** Checks the value of an option. */
export type OptionCheck = (value: unknown, name: string, who: string) => void;

/** An option of a layer. */
export interface OptionDescription<T = unknown> {
  readonly default: T;
  /** Throws where a value is not one that the option may have. */
  readonly check: OptionCheck;
  /** If true, null is a value of its own. Otherwise it means the default. */
  readonly takesNull?: boolean;
  /**
   * Set if stock tf.js lacks it: `'training'` if it only matters in training,
   * `'prediction'` if predictions depend on it, `'weights'` if the weights do, too.
   */
  readonly ours?: 'training' | 'prediction' | 'weights';
  /** If true, Keras 3 has it, though stock tf.js lacks it. */
  readonly isKeras3?: boolean;
}

/** A weight of a layer. */
export interface ParameterDescription {
  /** Its name in files, as in Keras: `moving_mean`. */
  readonly name: string;
  /**
   * The first word of the options that are about it: `movingMean` has
   * `movingMeanInitializer`. Without it there are none.
   */
  readonly option?: string;
  /** The initializer by default. */
  readonly initializer: string;
  /** If true, gradients reach it, and it has options for a regularizer and a constraint. */
  readonly learns?: boolean;
  /** The option, and its value, with which the layer has this weight. Defaults to always. */
  readonly when?: {readonly option: string; readonly is: unknown};
  /** If true, it is one number, whatever the shape of the others. */
  readonly isScalar?: boolean;
  /** Defaults to `'float32'`. */
  readonly dtype?: 'int32';
  /** If true, tf.js lacks it. */
  readonly isOurs?: boolean;
}

/** Tells if a value of a key leaves a layer as it is, beside the rest of its config. */
export type Neutral = (
  value: unknown,
  config: Readonly<Record<string, unknown>>,
) => boolean;

/** The layer of stock tf.js that computes the same. */
export interface Counterpart {
  readonly className: string;
  /** If true, it has options for constraints. */
  readonly constraints: boolean;
}

/** All that is to be known of a layer beside what it computes. */
export interface LayerDescription<Options extends object = object> {
  /** Its name in model files. */
  readonly className: string;
  /** Its name in messages. Defaults to `className`. */
  readonly label?: string;
  /** The names of the same layer in files of Keras and its addons. */
  readonly kerasNames: readonly string[];
  readonly options: OwnOptions<Options>;
  /** Its weights, in their order. */
  readonly parameters: readonly ParameterDescription[];
  /**
   * Keys in files that have no effect here with these values. Other values are refused,
   * unless it is an option.
   */
  readonly inFiles?: Readonly<Record<string, Neutral>>;
  /** Keys in files of Keras that have no effect in tf.js, whatever their value. */
  readonly inKeras?: readonly string[];
  /** Options that Keras writes with another meaning, and are refused in its files. */
  readonly unlikeKeras?: readonly string[];
  readonly counterpart?: Counterpart;
  /**
   * The layer of Keras 3 that computes the same, and the values of keys that only it has.
   * Defaults to the first of `kerasNames`; null if there is none.
   */
  readonly asKeras3?: {
    readonly className: string;
    readonly config: Readonly<Record<string, unknown>>;
  } | null;
  /** Options that the layer of Keras 3 lacks, beside those that are `ours`. */
  readonly notInKeras3?: readonly string[];
}

/** The options that are about no weight, whose descriptions their weights make. */
type OwnOptions<Options> = {
  readonly [
    Name in keyof Options as Name extends `${string}${Suffix}` ? never : Name
  ]: OptionDescription<Options[Name]>;
};

type Suffix = 'Initializer' | 'Regularizer' | 'Constraint';

/** The options about a weight: their names and defaults. */
export function optionsAbout({
  option,
  initializer,
  learns,
}: ParameterDescription): Record<string, string | null> {
  if (option === undefined) return {};
  return {
    [`${option}Initializer`]: initializer,
    ...(learns && {
      [`${option}Regularizer`]: null,
      [`${option}Constraint`]: null,
    }),
  };
}

/** The options of a layer by their names, each with its description. */
export function optionsOf(
  description: LayerDescription,
): Readonly<Record<string, OptionDescription>> {
  return description.options as Readonly<Record<string, OptionDescription>>;
}

/** The defaults of all options of a layer. */
export function defaultsOf<Options extends object>(
  description: LayerDescription<Options>,
): Options {
  const own = Object.entries(optionsOf(description)).map(
    ([name, option]): [string, unknown] => [name, option.default],
  );
  const about = description.parameters.map(optionsAbout);
  return Object.assign(Object.fromEntries(own), ...about) as Options;
}

/** The weights that the layer has in Keras and tf.js, too. */
export function stockParametersOf({
  parameters,
}: LayerDescription): ParameterDescription[] {
  return parameters.filter(({isOurs = false}) => !isOurs);
}

/** The weights that the layer has in Keras 3, too: beside tf.js's, those of its options. */
export function keras3ParametersOf(
  description: LayerDescription,
): ParameterDescription[] {
  const options = optionsOf(description);
  return description.parameters.filter(
    ({isOurs = false, when}) =>
      !isOurs || options[when?.option ?? '']?.isKeras3 === true,
  );
}

/** Tells if a layer with these options has a weight. */
export function hasParameter(
  {when}: ParameterDescription,
  options: object,
): boolean {
  const {[when?.option ?? '']: value} = options as Record<string, unknown>;
  return when === undefined || value === when.is;
}
