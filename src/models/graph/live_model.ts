import {type layers, LayersModel, Sequential} from '@tensorflow/tfjs-layers';
import {ONE_COPY} from '../../layer_support/one_copy.js';
import {received, refusal} from '../../util/received.js';

/**
 * Checks that a model comes from the copy of tf.js that this package uses. In a
 * model of another copy, not even the normalizations would be found.
 *
 * @throws Error saying what it is instead.
 */
export function checkModel(model: unknown, who: string): void {
  if (model instanceof LayersModel) return;
  if (!isModelOfAnotherCopy(model)) {
    throw refusal(
      who,
      'the model must be a tf.LayersModel',
      'model',
      kindOf(model),
    );
  }
  throw new Error(
    `${who}: the model comes from another copy of TensorFlow.js than the one this ` +
      `package uses. ${ONE_COPY} ${received('model', model.name)}`,
  );
}

/**
 * Builds a sequential model that has not been used yet, and so has no graph.
 *
 * @throws Error if it has no layers.
 */
export function ensureBuilt(model: LayersModel): void {
  const isUnused = model.inputNames.length === 0;
  if (isUnused && model instanceof Sequential) model.build();
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return (value.constructor as {name?: string} | undefined)?.name ?? 'object';
}

function isModelOfAnotherCopy(model: unknown): model is {name: string} {
  if (typeof model !== 'object' || model === null) return false;
  const {layers, predict} = model as {layers?: unknown; predict?: unknown};
  return Array.isArray(layers) && typeof predict === 'function';
}

/** A layer, and its place in the model. */
export interface PlacedLayer {
  readonly layer: layers.Layer;
  /**
   * The names of the models and wrappers around it, then its own, joined by
   * `/`.
   */
  readonly path: string;
}

/** A layer that may hold other layers, from any copy of tfjs. */
interface Holder extends layers.Layer {
  /** Of a model. */
  readonly layers?: readonly layers.Layer[];
  /** Of Bidirectional, which wraps two copies of a layer. */
  readonly forwardLayer?: layers.Layer;
  readonly backwardLayer?: layers.Layer;
}

/**
 * Returns every layer of a model except the models themselves, through nested
 * models, wrappers and layers that hold layers, in the model's order. A layer
 * used more than once is listed once, under its first path.
 */
export function layersOf(model: LayersModel): PlacedLayer[] {
  const found = new Map<layers.Layer, PlacedLayer>();
  const seen = new Set<layers.Layer>([model]);
  const visit = (layer: layers.Layer, path: string): void => {
    if (seen.has(layer)) return;
    seen.add(layer);
    if (!isModel(layer)) found.set(layer, {layer, path});
    for (const inner of innerLayers(layer)) {
      visit(inner, `${path}/${inner.name}`);
    }
  };
  for (const layer of model.layers) visit(layer, layer.name);
  return [...found.values()];
}

/** A layer of a model, and its counterpart in a rebuilt model. */
export interface LayerPair extends PlacedLayer {
  readonly rebuilt: layers.Layer;
}

/**
 * Pairs every layer of a model with its counterpart in a model built from the
 * first one's config, through nested models and wrappers. Layers are matched by
 * place: a custom layer may give itself a new name each time it is made.
 *
 * @param gone Layers of the first model that the second lacks.
 * @throws Error if one of the models has more layers than the other.
 */
export function pairLayers(
  model: LayersModel,
  rebuilt: LayersModel,
  who: string,
  gone: ReadonlySet<layers.Layer> = new Set(),
): LayerPair[] {
  const found = new Map<layers.Layer, LayerPair>();
  const seen = new Set<layers.Layer>([rebuilt]);
  const visit = (from: layers.Layer, to: layers.Layer, path: string): void => {
    if (seen.has(to)) return;
    seen.add(to);
    if (isModel(from) && isModel(to)) {
      visitAll(from.layers, inOrderOfMaking(to), `${path}/`);
      return;
    }
    found.set(to, {layer: from, rebuilt: to, path});
    visitPairs(innerLayers(from), innerLayers(to), `${path}/`);
  };
  const visitPairs = (
    originals: readonly layers.Layer[],
    copies: readonly layers.Layer[],
    around: string,
  ): void => {
    originals.forEach((layer, i) => {
      const copy = copies[i];
      if (copy) visit(layer, copy, `${around}${layer.name}`);
    });
  };
  const visitAll = (
    originals: readonly layers.Layer[],
    copies: readonly layers.Layer[],
    around: string,
  ): void => {
    const kept = originals.filter((layer) => !gone.has(layer));
    if (kept.length !== copies.length) {
      throw refusal(
        who,
        `the rebuilt model does not have the same ${kept.length} layers`,
        'layers',
        copies.length,
      );
    }
    visitPairs(kept, copies, around);
  };
  visitAll(model.layers, inOrderOfMaking(rebuilt), '');
  return [...found.values()];
}

/**
 * Returns the layers of a model that was built from a config, in the config's
 * order. Their order in the model itself depends on the graph.
 */
export function inOrderOfMaking({layers: all}: LayersModel): layers.Layer[] {
  return [...all].sort((a, b) => a.id - b.id);
}

/** If true, a layer is a model, used as a layer of another. */
export function isModel(layer: layers.Layer): layer is LayersModel {
  return Array.isArray((layer as Holder).layers);
}

/**
 * Returns the layers inside a layer: those of a model, of a wrapper, or in the
 * properties of a custom layer, also in lists, maps and plain objects.
 */
export function innerLayers(holder: Holder): readonly layers.Layer[] {
  if (holder.layers !== undefined) return holder.layers;
  // Bidirectional's `layer` is its forward one.
  const {forwardLayer, backwardLayer} = holder;
  if (forwardLayer && backwardLayer) return [forwardLayer, backwardLayer];
  const found = new Set<layers.Layer>();
  const seen = new Set<unknown>([holder]);
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (isLayer(value)) found.add(value);
    else if (Array.isArray(value) || value instanceof Set) value.forEach(look);
    else if (value instanceof Map) [...value.values()].forEach(look);
    else if (isPlain(value)) ownValues(value).forEach(look);
  };
  ownValues(holder).forEach(look);
  return [...found];
}

/** Works for any copy of tfjs. */
function isLayer(value: object): value is layers.Layer {
  const layer = value as Partial<layers.Layer>;
  return (
    typeof layer.apply === 'function' &&
    typeof layer.computeOutputShape === 'function' &&
    typeof layer.getClassName === 'function'
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Leaves out getters, which may have side effects. */
function ownValues(object: object): unknown[] {
  const descriptors = Object.getOwnPropertyDescriptors(object);
  return Object.values(descriptors).map(
    (descriptor): unknown => descriptor.value,
  );
}
