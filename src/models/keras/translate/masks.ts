import {
  type Call,
  type GraphLayer,
  type GraphModel,
  keyOf,
  type TensorRef,
} from '../../graph/graph.js';
import {own} from '../../graph/json.js';

/** A tensor's mask, as far as it is known without values. */
export interface Mask {
  /** Two masks with the same key cover the same positions. */
  readonly key: string;
  /** The masks of Embedding and Masking layers that it is made from. */
  readonly leaves: readonly string[];
  /** The layer that made it, for messages. */
  readonly maker: string;
  /** If true, it covers nothing. */
  readonly isOpen?: boolean;
}

/** One tensor's masks in Keras and in tf.js. */
export interface Masks {
  readonly keras?: Mask;
  readonly tfjs?: Mask;
  /** The reason why tf.js's values at masked positions differ. */
  readonly unlike?: Trouble;
}

/** A difference in a layer's behaviour in tf.js, because of a mask. */
export interface Trouble {
  readonly layer: GraphLayer;
  readonly what: string;
  readonly mask: Mask;
}

/** Returns the mask that a layer makes from the tensor with this key. */
export function madeMask(
  {className, name, config}: Pick<GraphLayer, 'className' | 'name' | 'config'>,
  input: string,
): Mask | undefined {
  if (className === 'Masking') {
    return leaf(`any ${notEqual(config.mask_value ?? 0, input)}`, name);
  }
  return className === 'Embedding' && config.mask_zero === true
    ? leaf(notEqual(0, input), name)
    : undefined;
}

/**
 * Returns the key of the mask that covers the positions where a tensor has a
 * value.
 */
export function notEqual(value: unknown, input: string): string {
  return `${JSON.stringify(Number(value))} in ${input}`;
}

/** Returns a mask unlike any other. */
export function leaf(key: string, maker: string): Mask {
  return {key, leaves: [key], maker};
}

/** Tells if both leave the same positions uncovered. */
export function isSame(a?: Mask, b?: Mask): boolean {
  return shown(a)?.key === shown(b)?.key;
}

/** Returns the mask, unless it covers nothing. */
export function shown(mask?: Mask): Mask | undefined {
  return mask?.isOpen ? undefined : mask;
}

/**
 * Returns the mask of the positions that all of them cover; a missing one covers
 * nothing.
 */
export function anyOf(
  masks: ReadonlyArray<Mask | undefined>,
): Mask | undefined {
  return joined('any', masks, masks.every(shown));
}

/** Returns the mask of the positions that any of them covers. */
export function allOf(
  masks: ReadonlyArray<Mask | undefined>,
): Mask | undefined {
  return joined('all', masks.filter(shown), masks.some(shown));
}

/** Returns the mask of concatenated sequences. */
export function behind(
  masks: ReadonlyArray<Mask | undefined>,
): Mask | undefined {
  if (!masks.some(shown)) return joined('behind', masks, false);
  const key = masks.map((mask) => shown(mask)?.key ?? '').join(' then ');
  return {...merged(masks), key: `(${key})`};
}

function joined(
  how: string,
  masks: ReadonlyArray<Mask | undefined>,
  covers: boolean,
): Mask | undefined {
  if (!masks.some(Boolean)) return undefined;
  const all = merged(masks);
  if (!covers) return {...all, key: 'open', isOpen: true};
  const keys = [...new Set(masks.map((mask) => mask?.key ?? ''))].sort();
  const [only] = keys;
  const key = keys.length === 1 && only ? only : `${how}(${keys.join(', ')})`;
  return {...all, key};
}

function merged(
  masks: ReadonlyArray<Mask | undefined>,
): Pick<Mask, 'leaves' | 'maker'> {
  const leaves = new Set(masks.flatMap((mask) => mask?.leaves ?? []));
  return {
    leaves: [...leaves].sort(),
    maker: masks.find(Boolean)?.maker ?? '',
  };
}

/** Operations of Keras 3 that only combine masks. */
const JOINING: readonly string[] = [
  'Any',
  'Concatenate',
  'ExpandDims',
  'LogicalOr',
];

/** Operations that make masks which cover nothing or everything. */
const EVEN: readonly string[] = ['OnesLike', 'ZerosLike'];

/**
 * Returns the mask passed to a call in Keras 3: the one of its input, as Keras
 * writes it to the file, or the user's.
 */
export function givenMask(
  ref: TensorRef,
  comes: Mask | undefined,
  {layers}: GraphModel,
  path: string,
): Mask {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const leaves = leavesOf(ref, byName, path);
  const isNatural =
    comes && leaves && String([...leaves].sort()) === String(comes.leaves);
  if (isNatural) return comes;
  const key = `${path}${keyOf(ref)}`;
  return {...leaf(key, ref.layer), leaves: [ref.layer]};
}

/**
 * The masks of layers that a mask is made from; undefined if made from anything
 * else.
 */
function leavesOf(
  ref: TensorRef,
  layers: ReadonlyMap<string, GraphLayer>,
  path: string,
): Set<string> | undefined {
  const found = new Set<string>();
  const waiting = [{ref, isAny: false}];
  const seen = new Set<string>();
  for (const {ref: next, isAny} of waiting) {
    const layer = layers.get(next.layer);
    const call = layer?.calls[next.call];
    if (!layer || !call) return undefined;
    const key = `${isAny} ${keyOf(next)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const {className, config} = layer;
    const [of] = call.inputs;
    if (className === 'NotEqual' && of) {
      const value = call.constants['1'] ?? call.constants.x2;
      const made = notEqual(value, `${path}${keyOf(of)}`);
      found.add(isAny ? `any ${made}` : made);
    } else if (
      JOINING.includes(className) &&
      own(config, 'trainable') == null
    ) {
      waiting.push(
        ...call.inputs.map((inner) => ({
          ref: inner,
          isAny: className === 'Any',
        })),
      );
    } else if (!EVEN.includes(className)) return undefined;
  }
  return found;
}

/**
 * Returns the model without operations that only make masks. tf.js passes masks
 * on by itself.
 */
export function withoutMaskOperations(model: GraphModel): GraphModel {
  const {layers, outputs} = model;
  const calls = layers.flatMap((layer) => layer.calls);
  if (!calls.some(({masks}) => masks)) return model;
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const needed = new Set<string>();
  const waiting = outputs.map(({layer}) => layer);
  for (const name of waiting) {
    if (needed.has(name)) continue;
    needed.add(name);
    const {calls: own = []} = byName.get(name) ?? {};
    waiting.push(...own.flatMap((c) => c.inputs.map(({layer}) => layer)));
  }
  return {
    ...model,
    layers: layers.filter(
      ({className, name}) => className === 'InputLayer' || needed.has(name),
    ),
  };
}

/** A call of a layer, for one of its output tensors. */
export interface Step {
  readonly key: string;
  readonly layer: GraphLayer;
  readonly call: Call;
  readonly output: number;
  /** The keys of its input tensors. */
  readonly inputs: readonly string[];
  /** If true, tf.js inlines its layers instead of calling it. */
  readonly isInlined: boolean;
}

export interface Order {
  readonly steps: readonly Step[];
  /** The keys of the model's inputs and outputs. */
  readonly start: readonly string[];
  readonly outputs: readonly string[];
}

/** The order in which tf.js's executor computes the outputs of a model. */
export function executionOrder(model: GraphModel): Order {
  return model.isSequential ? oneByOne(model) : backFromOutputs(model);
}

function oneByOne({layers}: GraphModel): Order {
  const ref = (layer: string): TensorRef => ({layer, call: 0, output: 0});
  const start = keyOf(ref(''));
  let last = start;
  const steps = layers
    .filter(({className}) => className !== 'InputLayer')
    .map((layer) => {
      const inputs = [last];
      last = keyOf(ref(layer.name));
      const call: Call = {inputs: [ref(layer.name)], constants: {}, shapes: []};
      const isInlined = layer === layers[0] && layer.model !== undefined;
      return {key: last, layer, call, output: 0, inputs, isInlined};
    });
  return {steps, start: [start], outputs: [last]};
}

/**
 * Depth first, from each output in turn, starting with the last of its inputs.
 */
function backFromOutputs({layers, inputs, outputs}: GraphModel): Order {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const done = new Set(inputs.map(keyOf));
  const steps: Step[] = [];
  // Iterative, since models can be deeper than the call stack.
  const stack = [...outputs].reverse().map((ref) => ({ref, isOpen: false}));
  for (;;) {
    const top = stack.pop();
    if (top === undefined) break;
    const {ref, isOpen} = top;
    const key = keyOf(ref);
    const layer = byName.get(ref.layer);
    const call = layer?.calls[ref.call];
    if (done.has(key) || !layer || !call) continue;
    if (isOpen) {
      done.add(key);
      const keys = call.inputs.map(keyOf);
      const {output} = ref;
      steps.push({key, layer, call, output, inputs: keys, isInlined: false});
    } else {
      stack.push({ref, isOpen: true});
      stack.push(...call.inputs.map((of) => ({ref: of, isOpen: false})));
    }
  }
  return {steps, start: inputs.map(keyOf), outputs: outputs.map(keyOf)};
}
