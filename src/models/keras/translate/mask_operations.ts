import {own} from '../../graph/json.js';
import {
  type GraphLayer,
  type GraphModel,
  keyOf,
  type TensorRef,
} from '../../graph/graph.js';
import {leaf, type Mask, notEqual} from './masks.js';

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
