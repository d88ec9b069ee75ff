import type {Call, GraphLayer, GraphModel, TensorRef} from './graph.js';
import type {Json} from './json.js';
import {type Form, KEYS} from './read_tfjs.js';

/** The new numbers of the calls of a layer, by the old ones. */
type Numbers = ReadonlyMap<number, number>;

/**
 * Writes a model as tf.js reads it, with its layers' new names.
 *
 * tf.js goes through the layers repeatedly and makes each call whose inputs
 * exist. It numbers calls as it makes them, so a call that waits for a later
 * layer swaps numbers with the next one, and references to both would be wrong.
 * Here the calls of each layer are in the order in which tf.js makes them.
 */
export function writeTfjs(model: GraphModel, form: Form = 'file'): Json {
  const config = model.isSequential
    ? {layers: model.layers.map((layer) => writeLayer(layer, form))}
    : writeFunctional(model, form);
  return {
    [KEYS[form].className]: model.className,
    config: {...model.config, ...config},
  };
}

/** Writes a layer without its calls. */
export function writeLayer(layer: GraphLayer, form: Form = 'file'): Json {
  if (layer.model) return writeTfjs(layer.model, form);
  const config = {...layer.config};
  for (const {key, index, layer: inner} of layer.wrapped) {
    const written = writeLayer(inner, form);
    const others = index === 0 ? [] : [config[key]].flat();
    config[key] = index === undefined ? written : [...others, written];
  }
  return {[KEYS[form].className]: layer.className, config};
}

function writeFunctional(model: GraphModel, form: Form): Json {
  const keys = KEYS[form];
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  const numbers = numbersOf(layers);
  const write = ({layer: name, call, output}: TensorRef): unknown[] => {
    const layer = layers.get(name);
    const number = numbers.get(name)?.get(call) ?? call;
    // A model has been called once before its first use.
    const first = layer?.model ? 1 : 0;
    return [layer?.newName ?? name, number + first, output];
  };
  const writeCall = ({inputs, constants}: Call): unknown[] =>
    inputs.map((ref) => [...write(ref), constants]);
  return {
    layers: model.layers.map((layer) => ({
      name: layer.newName,
      ...writeLayer(layer, form),
      [keys.nodes]: inOrder(layer.calls, numbers.get(layer.name)).map(
        writeCall,
      ),
    })),
    [keys.inputs]: model.inputs.map(write),
    [keys.outputs]: model.outputs.map(write),
  };
}

function inOrder(calls: readonly Call[], numbers?: Numbers): Call[] {
  return calls
    .map((call, i) => ({call, number: numbers?.get(i) ?? i}))
    .sort((a, b) => a.number - b.number)
    .map(({call}) => call);
}

/**
 * Numbers the calls as tf.js makes them, but finishes all possible calls of a
 * layer before the next layer. In that order, calls that tf.js can make at once
 * always come first.
 */
function numbersOf(
  layers: ReadonlyMap<string, GraphLayer>,
): Map<string, Numbers> {
  const numbers = new Map<string, Map<number, number>>();
  const isThere = ({layer: name, call}: TensorRef): boolean => {
    const isInput = layers.get(name)?.calls.length === 0;
    return isInput || call < 0 || numbers.get(name)?.has(call) === true;
  };
  const makeNext = ({name, calls}: GraphLayer): boolean => {
    const made = numbers.get(name) ?? new Map<number, number>();
    numbers.set(name, made);
    const next = calls.findIndex(
      ({inputs}, i) => !made.has(i) && inputs.every(isThere),
    );
    if (next >= 0) made.set(next, made.size);
    return next >= 0;
  };
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (const layer of layers.values()) {
      while (makeNext(layer)) isMoving = true;
    }
  }
  return numbers;
}
