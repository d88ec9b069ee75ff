import {own} from '../../graph/json.js';
import type {Call, GraphLayer} from '../../graph/graph.js';
import {allOf, anyOf, behind, leaf, type Mask} from './masks.js';
import {normalizationFor} from './normalizations.js';
import {ruleFor} from './layer_rules.js';

/*
 * Rules for the mask of a layer's output, given the mask of its input, in Keras
 * 2, in Keras 3 and in tf.js.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const EVERYWHERE =
  'Activation AlphaDropout Dense Dropout GaussianDropout GaussianNoise PReLU ' +
  'ReLU TimeDistributed';
const IN_KERAS = `${EVERYWHERE} ELU LeakyReLU Softmax SpatialDropout1D`;

/** Layers whose output has the mask of their input. */
const HANDS_ON = {
  keras2: words(`${IN_KERAS} ThresholdedReLU`),
  keras3: words(`${IN_KERAS} Identity Rescaling`),
  tfjs: words(`${EVERYWHERE} SpatialDropout1D`),
};

/** Normalizations whose output has no mask, in Keras 2 and 3. */
const UNMASKED_NORMALIZATIONS = words('RMSNormalization SpectralNormalization');

const MERGES = words('Add Average Maximum Minimum Multiply');
const RECURRENT = words('Bidirectional ConvLSTM2D GRU LSTM RNN SimpleRNN');

/** Merging layers that skip masked values in Keras 3. */
const MASKED_MERGES = words('Maximum Minimum Multiply');

/** Tells if Keras merges only unmasked values. */
export function isMaskedMerge(layer: GraphLayer, isKeras3: boolean): boolean {
  return (
    isKeras3 &&
    MASKED_MERGES.has(layer.className) &&
    !isOperation(layer, isKeras3)
  );
}

/** A layer that keeps states while it goes through a sequence. */
export function isRecurrent({className}: GraphLayer): boolean {
  return RECURRENT.has(className);
}

/** Returns the recurrent layer itself, or the one inside a Bidirectional. */
export function withinBidirectional(layer: GraphLayer): GraphLayer {
  const [wrapped] = layer.wrapped;
  const isBothWays = layer.className === 'Bidirectional';
  return isBothWays && wrapped ? wrapped.layer : layer;
}

/** Tells if a layer is a custom one, registered with tf.js. */
function isForeign({className}: GraphLayer): boolean {
  return !ruleFor(className) && normalizationFor(className) === undefined;
}

/** Keras writes `x + y` as an operation, which passes no mask on. */
function isOperation(
  {className, config}: GraphLayer,
  isKeras3: boolean,
): boolean {
  return (
    className === 'TFOpLambda' ||
    (isKeras3 && own(config, 'trainable') === undefined)
  );
}

/**
 * Returns the mask that Keras gives a layer's first output.
 *
 * @param makesInside If true, the layer inside makes a mask.
 */
export function maskInKeras(
  layer: GraphLayer,
  call: Pick<Call, 'shapes'>,
  masks: ReadonlyArray<Mask | undefined>,
  {isKeras3, makesInside}: {isKeras3: boolean; makesInside: boolean},
): Mask | undefined {
  const {className} = layer;
  const [mask] = masks;
  if (isRecurrent(layer)) return maskOfSequence(layer, mask);
  if (className === 'TFOpLambda') return undefined;
  if (className === 'TimeDistributed' && !isKeras3 && makesInside) {
    // Keras 2 takes the mask from the wrapped layer.
    return leaf(`within ${layer.name}`, layer.name);
  }
  if (className === 'Concatenate' || MERGES.has(className)) {
    if (isOperation(layer, isKeras3)) return undefined;
    if (className === 'Concatenate') {
      if (isAlongTime(layer, call)) return behind(masks);
      return isKeras3 ? anyOf(masks) : allOf(masks);
    }
    if (!isKeras3) return allOf(masks);
    return masks.every(Boolean) ? anyOf(masks) : undefined;
  }
  const isNormalization = normalizationFor(className) !== undefined;
  const handsOn = isKeras3 ? HANDS_ON.keras3 : HANDS_ON.keras2;
  const isHandedOn =
    isForeign(layer) || isNormalization
      ? !UNMASKED_NORMALIZATIONS.has(className)
      : handsOn.has(className);
  return isHandedOn ? mask : undefined;
}

/**
 * Returns the mask that tf.js gives a layer's outputs, or 'failure' where tf.js
 * cannot compute one.
 */
export function maskInTfjs(
  layer: GraphLayer,
  call: Pick<Call, 'shapes'>,
  masks: ReadonlyArray<Mask | undefined>,
): Mask | 'failure' | undefined {
  const {className} = layer;
  const [mask] = masks;
  if (isRecurrent(layer)) return maskOfSequence(layer, mask);
  if (MERGES.has(className) || className === 'TFOpLambda') {
    return maskOfTfjsMerge(masks);
  }
  if (className === 'Concatenate') {
    if (!masks.some(Boolean)) return undefined;
    if (masks.some((each) => each?.key === MISSHAPEN.key)) return 'failure';
    if (!isAlongTime(layer, call)) return allOf(masks);
    // Missing masks are made as wide as the tensors; the others are not.
    return masks.every(Boolean) ? behind(masks) : 'failure';
  }
  return handsOnInTfjs(layer) ? mask : undefined;
}

function handsOnInTfjs(layer: GraphLayer): boolean {
  const {className, wrapped} = layer;
  const normalization = normalizationFor(className);
  const [inside] = wrapped;
  // SpectralNorm passes its mask on where the layer inside does.
  if (normalization && inside) return handsOnInTfjs(inside.layer);
  return (
    isForeign(layer) ||
    normalization !== undefined ||
    (HANDS_ON.tfjs.has(className) && !isLeakyInTfjs(layer))
  );
}

/** A mask with an extra axis, which no layer can use. */
const MISSHAPEN: Mask = {key: 'misshapen', leaves: [], maker: ''};

/** tf.js leaves out the last mask, and gives the first an extra axis. */
function maskOfTfjsMerge(
  masks: ReadonlyArray<Mask | undefined>,
): Mask | 'failure' | undefined {
  if (!masks.some(Boolean)) return undefined;
  const read = masks.slice(0, Math.max(1, masks.length - 1));
  if (read.length > 1 && !read.every(Boolean)) return 'failure';
  return masks[0] && {...MISSHAPEN, maker: masks[0].maker};
}

function maskOfSequence(layer: GraphLayer, mask?: Mask): Mask | undefined {
  return returnsSequences(layer) ? mask : undefined;
}

/** It becomes tf.js's LeakyReLU. */
function isLeakyInTfjs({className, config}: GraphLayer): boolean {
  return ruleFor(className, config)?.tfjs === 'LeakyReLU';
}

function isAlongTime(
  {config}: GraphLayer,
  {shapes}: Pick<Call, 'shapes'>,
): boolean {
  const axis = Number(own(config, 'axis') ?? -1);
  const rank = Array.isArray(shapes[0]) ? shapes[0].length : undefined;
  if (axis === -1 || axis === (rank ?? 0) - 1) return false;
  return axis === 1 || axis === 1 - (rank ?? 3);
}

/**
 * Returns the reason why a recurrent layer's output at masked steps differs in
 * tf.js, although it gets the same mask as in Keras.
 */
export function maskedTrouble(
  layer: GraphLayer,
  call: Call,
): string | undefined {
  const inner = withinBidirectional(layer);
  const isBothWays = layer !== inner && returnsSequences(layer);
  if (isBothWays || own(inner.config, 'zero_output_for_mask') === true) {
    return 'Keras returns zeros for masked steps, tf.js the step before';
  }
  if (layer.className === 'ConvLSTM2D')
    return 'tf.js takes only masks of single pixels';
  if (call.inputs.length > 1 || own(inner.config, 'stateful') === true) {
    return (
      'before the first unmasked step, Keras returns zeros, tf.js the ' +
      'initial state'
    );
  }
  return undefined;
}

/** Tells if a recurrent layer returns an output for each step. */
export function returnsSequences(layer: GraphLayer): boolean {
  return own(withinBidirectional(layer).config, 'return_sequences') === true;
}

/** Tells if each step of a layer's output depends on that step alone. */
export function isStepByStep(layer: GraphLayer): boolean {
  const {className, config} = layer;
  if (normalizationFor(className)?.className === 'LayerNorm') {
    return [own(config, 'axis')].flat().every((axis) => axis === -1);
  }
  return (
    HANDS_ON.keras3.has(className) ||
    normalizationFor(className)?.className === 'BatchNorm'
  );
}

/** Layers that apply a mask in Keras but not in tf.js. */
export function isMaskedInKerasOnly({className}: GraphLayer): boolean {
  return (
    className === 'GlobalAveragePooling1D' || className === 'MultiHeadAttention'
  );
}

/** Tells if a layer's predictions depend on its mask. */
export function dependsOnMask(layer: GraphLayer): boolean {
  return (
    isRecurrent(layer) ||
    isMaskedInKerasOnly(layer) ||
    layer.className === 'Softmax' ||
    (layer.model?.layers ?? []).some(dependsOnMask) ||
    layer.wrapped.some(({layer: inner}) => dependsOnMask(inner))
  );
}
