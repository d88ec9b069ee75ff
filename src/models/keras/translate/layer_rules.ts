import {hasOwn} from '../../../layer_support/options.js';
import {type Json, own} from '../../graph/json.js';

/** The translation of a Keras layer's config to tf.js. */
export interface LayerRule {
  /** The keys that tf.js honours unchanged. */
  readonly keys: readonly string[];
  /**
   * The values with which tf.js computes the same; others are refused. A key
   * that is only in this list is left out.
   */
  readonly only: Readonly<
    Record<string, (value: unknown, config: Json) => boolean>
  >;
  /** Converts to a tf.js layer of another name that computes the same. */
  readonly become?: (
    config: Json,
  ) => {className: string; config: Json} | undefined;
  /** The number of axes of length 1 that `keepdims` keeps and tf.js drops. */
  readonly pooledAxes?: number;
}

/** Random draws differ anyway, and speed is up to tf.js. */
const ANY = (): boolean => true;

const is =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

const isAllOnes = (value: unknown): boolean =>
  [value].flat().every((item) => item === 1);

const isNumber = (value: unknown): boolean => typeof value === 'number';

const isLast = is('channels_last');

function rule(
  keys: string,
  only: LayerRule['only'] = {},
  more: Pick<LayerRule, 'become' | 'pooledAxes'> = {},
): LayerRule {
  return {keys: keys.split(' ').filter(Boolean), only, ...more};
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
  dilation_rate: isAllOnes,
  output_padding: isOfTfjs,
};
const rnn = {
  // With a mask, check_masks.ts refuses it.
  zero_output_for_mask: is(false, true),
  time_major: is(false),
  implementation: ANY,
  seed: ANY,
};
const gru = {...rnn, reset_after: is(false)};
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

/** tf.js's layers, by the name that Keras uses too. */
const RULES: Readonly<Record<string, LayerRule>> = {
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
    {...groups, dilation_rate: isAllOnes},
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
  LeakyReLU: rule('alpha', {}, {become: withAlpha}),
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
  ReLU: rule(
    'max_value',
    {negative_slope: is(0), threshold: is(0)},
    {become: leakyIfSloping},
  ),
  RepeatVector: rule('n'),
  Rescaling: rule('scale offset', {scale: isNumber, offset: isNumber}),
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
  ThresholdedReLU: rule('theta'),
  TimeDistributed: rule('layer'),
  UpSampling2D: rule('size data_format', {interpolation: is('nearest')}),
  ZeroPadding2D: rule('padding data_format'),
};

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

/** Returns the rule for a layer class, if tf.js has it. */
export function ruleFor(className: string): LayerRule | undefined {
  return hasOwn(RULES, className) ? RULES[className] : undefined;
}

/** Returns the keys of a layer of tf.js; undefined for another class. */
export function tfjsKeysOf(className: string): readonly string[] | undefined {
  return ruleFor(className)?.keys;
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

/** Keras 3 renamed it. */
function withAlpha({negative_slope: slope, ...config}: Json): {
  className: string;
  config: Json;
} {
  const alpha = slope === undefined ? {} : {alpha: slope};
  return {className: 'LeakyReLU', config: {...config, ...alpha}};
}

/** Two layers of tf.js are one in Keras. */
function leakyIfSloping(
  config: Json,
): {className: string; config: Json} | undefined {
  const {negative_slope: alpha, max_value: max, threshold, ...rest} = config;
  const isLeaky = typeof alpha === 'number' && alpha !== 0;
  return isLeaky && max == null && !threshold
    ? {className: 'LeakyReLU', config: {...rest, alpha}}
    : undefined;
}
