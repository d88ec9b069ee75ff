import type {layers, LayersModel} from '@tensorflow/tfjs-layers';

/** A layer, and where in its model it is. */
export interface PlacedLayer {
  readonly layer: layers.Layer;
  /** The names of the models and wrappers around it and its own, with `/` between. */
  readonly path: string;
}

/** What may hold other layers, whichever copy of tfjs it comes from. */
interface Holder extends layers.Layer {
  /** Of a model. */
  readonly layers?: readonly layers.Layer[];
  /** Of TimeDistributed and other wrappers. */
  readonly layer?: layers.Layer;
  /** Of Bidirectional, which wraps two copies of one. */
  readonly forwardLayer?: layers.Layer;
  readonly backwardLayer?: layers.Layer;
}

/**
 * Every layer of a model that is no model itself, through nested models and
 * wrappers, in the model's order. A layer that is used more than once comes once,
 * under the first of its paths.
 */
export function layersOf(model: LayersModel): PlacedLayer[] {
  const found = new Map<layers.Layer, PlacedLayer>();
  const visit = (layer: layers.Layer, path: string): void => {
    if (found.has(layer)) return;
    if (!isModel(layer)) found.set(layer, {layer, path});
    for (const inner of innerLayers(layer)) {
      visit(inner, `${path}/${inner.name}`);
    }
  };
  for (const layer of model.layers) visit(layer, layer.name);
  return [...found.values()];
}

/**
 * The layer at a path that {@link layersOf} gives for a model, or for another one
 * that is built the same way.
 */
export function layerAt(
  model: LayersModel,
  path: string,
): layers.Layer | undefined {
  // Names may have a slash in them.
  const find = (
    inner: readonly layers.Layer[],
    rest: string,
  ): layers.Layer | undefined => {
    for (const layer of inner) {
      if (layer.name === rest) return layer;
      if (!rest.startsWith(`${layer.name}/`)) continue;
      const below = rest.slice(layer.name.length + 1);
      const found = find(innerLayers(layer), below);
      if (found) return found;
    }
    return undefined;
  };
  return find(model.layers, path);
}

/** Whether a layer is a model, used as a layer of another. */
export function isModel(layer: layers.Layer): layer is LayersModel {
  return Array.isArray((layer as Holder).layers);
}

/** The layers that a model or a wrapper consists of. */
export function innerLayers(holder: Holder): readonly layers.Layer[] {
  if (holder.layers !== undefined) return holder.layers;
  // Bidirectional's `layer` is its forward one.
  const {forwardLayer, backwardLayer, layer} = holder;
  const inner = forwardLayer ? [forwardLayer, backwardLayer] : [layer];
  return inner.filter((each) => each !== undefined);
}
