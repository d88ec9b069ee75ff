import {hasOwn} from '../../../layer_support/options.js';
import {type Json, own} from '../../graph/json.js';

/*
 * Rules between the layers of Keras and those of tf.js, which read both ways:
 * `ruleFor` finds the one for a layer of Keras, `ruleBack` and `keysInKeras` lead
 * from tf.js to Keras.
 */

/** A layer of Keras and one of tf.js that compute the same. */
export interface LayerRule {
  /** The class name in Keras. */
  readonly keras: string;
  /** The class name in tf.js. */
  readonly tfjs: string;
  /** The keys that mean the same in both. */
  readonly same: readonly string[];
  /** The keys of Keras that have another name in tf.js. */
  readonly renamed: Readonly<Record<string, string>>;
  /**
   * The values of keys with which both compute the same; others are refused. A
   * key that is only in this list is of Keras alone.
   */
  readonly only: Readonly<Record<string, Allowed>>;
  /**
   * The values of keys of Keras for which this rule holds instead of the class's
   * last one.
   */
  readonly when?: Readonly<Record<string, (value: unknown) => boolean>>;
  /** The number of axes of length 1 that `keepdims` keeps and tf.js drops. */
  readonly pooledAxes?: number;
  /** If true, Keras 3 does not have the layer any more. */
  readonly isKeras2?: boolean;
}

/** The values of a key with which tf.js computes the same as Keras. */
export interface Allowed {
  readonly allows: (value: unknown, config: Json) => boolean;
  /** The one to write for Keras, unless Keras's default is among them. */
  readonly inKeras?: unknown;
}

const where = (allows: Allowed['allows']): Allowed => ({allows});

/** Random draws differ anyway, and speed is up to tf.js. */
const ANY = where(() => true);

/** Keras's default is among the values. */
const is = (...values: readonly unknown[]): Allowed =>
  where((value) => values.includes(value));

/** Keras has another default, or one that depends on its settings. */
const must = (only: unknown): Allowed => ({...is(only), inKeras: only});

const ALL_ONES = where((value) => [value].flat().every((item) => item === 1));

const NUMBER = where((value) => typeof value === 'number');

const isLast = must('channels_last');

/** A rule before its class's name in Keras is known. */
type Half = Omit<LayerRule, 'keras' | 'tfjs'> & Partial<LayerRule>;

function rule(
  same: string,
  only: LayerRule['only'] = {},
  more: Partial<LayerRule> = {},
): Half {
  return {same: same.split(' ').filter(Boolean), only, renamed: {}, ...more};
}

const parameters = (...names: readonly string[]): string =>
  names
    .flatMap((name) => [
      `${name}_initializer`,
      `${name}_regularizer`,
      `${name}_constraint`,
    ])
    .join(' ');

const AFFINE = `use_bias ${parameters('kernel', 'bias')}`;
const WINDOW = 'kernel_size strides padding data_format activation';
const CONV = `filters dilation_rate ${WINDOW} ${AFFINE}`;
const POOL = 'pool_size strides padding';
const CELL =
  'units activation dropout recurrent_dropout use_bias ' +
  parameters('kernel', 'recurrent', 'bias');
const SEQUENCE = 'return_sequences return_state go_backwards stateful unroll';
const CONV_1D = CONV.replace(' data_format', '');
const TRANSPOSED = CONV.replace('dilation_rate ', '');

const groups = {groups: is(1)};
const transposed = {
  ...groups,
  dilation_rate: ALL_ONES,
  output_padding: where(isOfTfjs),
};
const rnn = {
  // With a mask, check_masks.ts refuses it.
  zero_output_for_mask: is(false, true),
  time_major: is(false),
  implementation: ANY,
  seed: ANY,
};
const gru = {...rnn, reset_after: must(false)};
const lstmKeys = `${CELL} recurrent_activation unit_forget_bias`;
const random = {seed: ANY};
const flatOnly = {data_format: isLast};
const noCausal = {padding: is('valid', 'same')};

const RANDOM: Readonly<Record<string, readonly string[]>> = {
  AlphaDropout: ['rate'],
  Dropout: ['rate'],
  GaussianDropout: ['rate'],
  GaussianNoise: ['stddev'],
  SpatialDropout1D: ['rate'],
};

const RECURRENT_RANDOM: readonly string[] = ['dropout', 'recurrent_dropout'];

/** By the name in Keras, which is tf.js's too unless a rule names another. */
const HALVES: Readonly<Record<string, Half | readonly Half[]>> = {
  Activation: rule('activation'),
  Add: rule(''),
  AlphaDropout: rule('rate noise_shape', random),
  Average: rule(''),
  AveragePooling1D: rule(POOL, flatOnly),
  AveragePooling2D: rule(`${POOL} data_format`),
  AveragePooling3D: rule(`${POOL} data_format`),
  Bidirectional: rule('layer merge_mode'),
  CategoryEncoding: rule('num_tokens output_mode', {sparse: is(false)}),
  CenterCrop: rule('height width', flatOnly),
  Concatenate: rule('axis'),
  Conv1D: rule(CONV_1D, {...groups, ...flatOnly, ...noCausal}),
  Conv2D: rule(CONV, groups),
  Conv2DTranspose: rule(TRANSPOSED, transposed),
  Conv3D: rule(CONV, groups),
  Conv3DTranspose: rule(TRANSPOSED, transposed),
  ConvLSTM2D: rule(
    `${CONV} ${SEQUENCE} dropout recurrent_dropout recurrent_activation ` +
      `unit_forget_bias ${parameters('recurrent')}`,
    rnn,
  ),
  Cropping2D: rule('cropping data_format'),
  Dense: rule(`units activation ${AFFINE}`),
  DepthwiseConv2D: rule(
    `${WINDOW} depth_multiplier use_bias ${parameters('depthwise', 'bias')}`,
    {...groups, dilation_rate: ALL_ONES},
  ),
  Dot: rule('axes normalize'),
  Dropout: rule('rate noise_shape', random),
  ELU: rule('', {alpha: is(1)}),
  Embedding: rule(
    `input_dim output_dim mask_zero input_length ${parameters('embeddings')}`,
  ),
  Flatten: rule('data_format'),
  GRU: rule(`${CELL} ${SEQUENCE} recurrent_activation`, gru),
  GRUCell: rule(`${CELL} recurrent_activation`, gru),
  GaussianDropout: rule('rate', random),
  GaussianNoise: rule('stddev', random),
  GlobalAveragePooling1D: rule(
    '',
    {...flatOnly, keepdims: is(false, true)},
    {pooledAxes: 1},
  ),
  GlobalAveragePooling2D: rule(
    'data_format',
    {keepdims: is(false, true)},
    {pooledAxes: 2},
  ),
  GlobalMaxPooling1D: rule(
    '',
    {...flatOnly, keepdims: is(false, true)},
    {pooledAxes: 1},
  ),
  GlobalMaxPooling2D: rule(
    'data_format',
    {keepdims: is(false, true)},
    {pooledAxes: 2},
  ),
  InputLayer: rule('', {sparse: is(false), ragged: is(false), optional: ANY}),
  LSTM: rule(`${lstmKeys} ${SEQUENCE}`, rnn),
  LSTMCell: rule(lstmKeys, rnn),
  // Keras 3 renamed it.
  LeakyReLU: rule('alpha', {}, {renamed: {negative_slope: 'alpha'}}),
  Masking: rule('mask_value'),
  MaxPooling1D: rule(POOL, flatOnly),
  MaxPooling2D: rule(`${POOL} data_format`),
  MaxPooling3D: rule(`${POOL} data_format`),
  Maximum: rule(''),
  Minimum: rule(''),
  Multiply: rule(''),
  PReLU: rule(`shared_axes ${parameters('alpha')}`),
  Permute: rule('dims'),
  RNN: rule(`cell ${SEQUENCE}`, rnn),
  // Two layers of tf.js are one in Keras.
  ReLU: [
    rule(
      '',
      {max_value: ANY, threshold: ANY},
      {
        tfjs: 'LeakyReLU',
        renamed: {negative_slope: 'alpha'},
        when: {
          negative_slope: (slope) => typeof slope === 'number' && slope !== 0,
          max_value: (max) => max == null,
          threshold: (threshold) => !threshold,
        },
      },
    ),
    rule('max_value', {negative_slope: is(0), threshold: is(0)}),
  ],
  RepeatVector: rule('n'),
  Rescaling: rule('scale offset', {scale: NUMBER, offset: NUMBER}),
  Reshape: rule('target_shape'),
  Resizing: rule('height width interpolation crop_to_aspect_ratio', {
    ...flatOnly,
    pad_to_aspect_ratio: is(false),
    antialias: is(false),
    fill_mode: ANY,
    fill_value: ANY,
  }),
  SeparableConv2D: rule(
    `filters dilation_rate ${WINDOW} depth_multiplier use_bias ` +
      parameters('depthwise', 'pointwise', 'bias'),
    // Keras 2 inherits it from the base class.
    {...groups, kernel_initializer: ANY},
  ),
  SimpleRNN: rule(`${CELL} ${SEQUENCE}`, rnn),
  SimpleRNNCell: rule(CELL, rnn),
  Softmax: rule('axis'),
  SpatialDropout1D: rule('rate', random),
  StackedRNNCells: rule('cells'),
  ThresholdedReLU: rule('theta', {}, {isKeras2: true}),
  TimeDistributed: rule('layer'),
  UpSampling2D: rule('size data_format', {interpolation: is('nearest')}),
  ZeroPadding2D: rule('padding data_format'),
};

/** Every rule. */
export const RULES: readonly LayerRule[] = Object.entries(HALVES).flatMap(
  ([keras, halves]) =>
    [halves].flat().map((half) => ({keras, tfjs: keras, ...half})),
);

const BY_KERAS = byName(({keras}) => keras);
const BY_TFJS = byName(({tfjs}) => tfjs);

function byName(
  nameOf: (rule: LayerRule) => string,
): ReadonlyMap<string, readonly LayerRule[]> {
  const found = new Map<string, LayerRule[]>();
  for (const each of RULES) {
    found.set(nameOf(each), [...(found.get(nameOf(each)) ?? []), each]);
  }
  return found;
}

/** A layer of tf.js that passes its input on. */
export interface StandIn {
  readonly className: string;
  readonly config: Json;
}

const PLAIN: StandIn = {
  className: 'Activation',
  config: {activation: 'linear'},
};

/** Keras converts images to floats, and so must this. */
const OF_IMAGES: StandIn = {
  className: 'Rescaling',
  config: {scale: 1, offset: 0},
};

/**
 * Layers that tf.js lacks and that pass their input on in prediction. Most of
 * them are random in training. RandomCrop is not among them: it crops in
 * prediction.
 */
const STAND_INS: Readonly<Record<string, StandIn>> = {
  ActivityRegularization: PLAIN,
  AugMix: OF_IMAGES,
  CutMix: OF_IMAGES,
  Identity: PLAIN,
  MixUp: OF_IMAGES,
  RandAugment: OF_IMAGES,
  RandomBrightness: OF_IMAGES,
  RandomColorDegeneration: OF_IMAGES,
  RandomColorJitter: OF_IMAGES,
  RandomContrast: OF_IMAGES,
  RandomElasticTransform: OF_IMAGES,
  RandomErasing: OF_IMAGES,
  RandomFlip: OF_IMAGES,
  RandomGaussianBlur: OF_IMAGES,
  RandomGrayscale: OF_IMAGES,
  RandomHeight: OF_IMAGES,
  RandomHue: OF_IMAGES,
  RandomInvert: OF_IMAGES,
  RandomPerspective: OF_IMAGES,
  RandomPosterization: OF_IMAGES,
  RandomRotation: OF_IMAGES,
  RandomSaturation: OF_IMAGES,
  RandomSharpness: OF_IMAGES,
  RandomShear: OF_IMAGES,
  RandomTranslation: OF_IMAGES,
  RandomWidth: OF_IMAGES,
  RandomZoom: OF_IMAGES,
  Solarization: OF_IMAGES,
  SpatialDropout2D: PLAIN,
  SpatialDropout3D: PLAIN,
};

/** Returns the stand-in for a Keras layer that does nothing in prediction. */
export function standInFor(className: string): StandIn | undefined {
  return hasOwn(STAND_INS, className) ? STAND_INS[className] : undefined;
}

/** Returns the rule for a layer of Keras, if tf.js has it. */
export function ruleFor(
  className: string,
  config: Json = {},
): LayerRule | undefined {
  return BY_KERAS.get(className)?.find(({when = {}}) =>
    Object.entries(when).every(([key, holds]) => holds(own(config, key))),
  );
}

/** Returns the rule for a layer of tf.js: that of the same name in Keras. */
export function ruleBack(className: string): LayerRule | undefined {
  return BY_TFJS.get(className)?.find(({keras}) => keras === className);
}

/**
 * Returns a layer's config with the keys that Keras 3 has, and with the values of
 * keys that only Keras has. The values of the others stay as they are.
 */
export function keysInKeras(
  {same, renamed, only}: LayerRule,
  config: Json,
): Json {
  const result: Json = {};
  for (const [key, {inKeras}] of Object.entries(only)) {
    if (inKeras !== undefined && !same.includes(key)) result[key] = inKeras;
  }
  const names = new Map(Object.entries(renamed).map(([k, t]) => [t, k]));
  for (const key of [...same, ...names.keys()]) {
    if (hasOwn(config, key)) result[names.get(key) ?? key] = config[key];
  }
  return result;
}

/** Returns the keys of a layer of tf.js; undefined for another class. */
export function tfjsKeysOf(className: string): readonly string[] | undefined {
  return ruleBack(className)?.same;
}

/** Returns the keys that control a layer's randomness in training. */
export function randomKeysOf(className: string, config: Json): string[] {
  const keys = hasOwn(RANDOM, className)
    ? (RANDOM[className] ?? [])
    : RECURRENT_RANDOM;
  return keys.filter((key) => Number(own(config, key) ?? 0) > 0);
}

/**
 * Tells if a transposed convolution's output has the same size with this output
 * padding as with none, the only choice in tf.js.
 */
function isOfTfjs(value: unknown, config: Json): boolean {
  if (value === null || value === undefined) return true;
  const at = (given: unknown, i: number): number =>
    Number(Array.isArray(given) ? given[i] : given);
  const axes = Array.isArray(config.kernel_size)
    ? config.kernel_size.length
    : 1;
  return Array.from({length: axes}, (_, i) => i).every((i) => {
    const kernel = at(config.kernel_size, i);
    const stride = at(config.strides, i);
    const padding =
      config.padding === 'same'
        ? stride - (kernel % 2)
        : Math.max(stride - kernel, 0);
    return at(value, i) === padding;
  });
}
