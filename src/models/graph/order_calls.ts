import {type Json} from './json.js';
import {isObject} from '../../util/is_object.js';

/** `[layer, node, tensor, …]` */
type Reference = readonly [layer: string, node: number, ...rest: unknown[]];

/** A layer of a functional model in JSON, and its calls. */
interface Called {
  readonly json: Json;
  readonly calls: ReadonlyArray<readonly Reference[]>;
  /** The number of nodes that tf.js has made for it before the first call. */
  readonly first: number;
}

/** The new numbers of the calls of a layer, by the old ones. */
type Numbers = ReadonlyMap<number, number>;

/**
 * Copies a model's JSON with each layer's calls in the order in which tf.js
 * makes them, also in nested models and wrappers.
 *
 * tf.js goes through the layers repeatedly and makes each call whose inputs
 * exist. It numbers calls as it makes them, so a call that waits for a later
 * layer swaps numbers with the next one, and references to both are wrong.
 */
export function withOrderedCalls<T>(json: T): T {
  return ordered(json) as T;
}

function ordered(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(ordered);
  if (!isObject(json)) return json;
  const copy = Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, ordered(value)]),
  );
  return Array.isArray(copy.layers) && Array.isArray(copy.output_layers)
    ? renumbered(copy)
    : copy;
}

function renumbered(config: Json): Json {
  const layers = new Map(
    (config.layers as Json[]).map((json) => [String(json.name), called(json)]),
  );
  const numbers = numbersOf(layers);
  const renumber = (ref: Reference): Reference => {
    const [name, node, ...rest] = ref;
    return [name, numbers.get(name)?.get(node) ?? node, ...rest];
  };
  return {
    ...config,
    layers: [...layers].map(([name, {json, calls, first}]) => {
      const own = numbers.get(name);
      const nodes = calls
        .map((call, i) => ({call, number: own?.get(first + i) ?? first + i}))
        .sort((a, b) => a.number - b.number)
        .map(({call}) => call.map(renumber));
      return {...json, inbound_nodes: nodes};
    }),
    input_layers: (config.input_layers as Reference[]).map(renumber),
    output_layers: (config.output_layers as Reference[]).map(renumber),
  };
}

function called(json: Json): Called {
  const calls = (json.inbound_nodes ?? []) as Reference[][];
  const isModel = isObject(json.config) && Array.isArray(json.config.layers);
  const isInput = calls.length === 0;
  return {json, calls, first: isModel || isInput ? 1 : 0};
}

/**
 * Numbers the calls as tf.js makes them, but finishes all possible calls of a
 * layer before the next layer. In that order, calls that tf.js can make at once
 * always come first.
 */
function numbersOf(layers: ReadonlyMap<string, Called>): Map<string, Numbers> {
  const numbers = new Map<string, Map<number, number>>();
  const isThere = ([name, node]: Reference): boolean =>
    node < (layers.get(name)?.first ?? 0) ||
    numbers.get(name)?.has(node) === true;
  const makeNext = (name: string, {calls, first}: Called): boolean => {
    const made = numbers.get(name) ?? new Map<number, number>();
    numbers.set(name, made);
    const next = calls.findIndex(
      (call, i) => !made.has(first + i) && call.every(isThere),
    );
    if (next >= 0) made.set(first + next, first + made.size);
    return next >= 0;
  };
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (const [name, layer] of layers) {
      while (makeNext(name, layer)) isMoving = true;
    }
  }
  return numbers;
}
