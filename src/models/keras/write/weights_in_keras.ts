import {tidy, type Tensor} from '@tensorflow/tfjs-core';
import type {layers, LayerVariable} from '@tensorflow/tfjs-layers';
import {keras3ParametersOf} from '../../../layer_support/description.js';
import {kernelOf} from '../../../layer_support/wrapped_layer.js';
import {normalizeSpectrally} from '../../../ops/spectral_norm.js';
import {type GraphLayer, type GraphModel, whoIs} from '../../graph/graph.js';
import {innerLayers} from '../../graph/live_model.js';
import {normalizationFor} from '../translate/normalizations.js';
import {numberedNames} from '../weights/numbered_weights.js';

/** A weight under the name that Keras 3 looks for. */
export interface NamedWeight {
  readonly path: string;
  readonly shape: readonly number[];
  /** Reads it. If `isMade`, the caller disposes the tensor. */
  readonly read: () => Tensor;
  readonly isMade: boolean;
}

const VECTOR_U = 'vector_u';

/** Lists the weights of a graph of Keras's layers, read from their live ones. */
export function weightsInKeras(
  {layers: all}: GraphModel,
  around = '',
): NamedWeight[] {
  const names = numberedNames(all.map(({className}) => className));
  return all.flatMap((layer, i) =>
    ofLayer(layer, `${around}layers/${names[i] ?? ''}/`),
  );
}

function ofLayer(layer: GraphLayer, path: string): NamedWeight[] {
  const {className, model, wrapped, live} = layer;
  if (model) return weightsInKeras(model, path);
  if (live === undefined) return [];
  const [inside] = wrapped;
  switch (className) {
    case 'Bidirectional': {
      const [forward, backward] = innerLayers(live);
      return [
        ...ofCell(forward, `${path}forward_layer/`),
        ...ofCell(backward, `${path}backward_layer/`),
      ];
    }
    case 'TimeDistributed':
      return inside ? ofLayer(inside.layer, `${path}layer/`) : [];
    case 'SpectralNormalization':
      return inside ? ofSpectral(layer, inside.layer, path) : [];
    default:
      return hasCell(live) ? ofCell(live, path) : numbered(kept(live), path);
  }
}

/** A recurrent layer. */
interface WithCell extends layers.Layer {
  readonly cell: layers.Layer;
}

function hasCell(layer: layers.Layer): layer is WithCell {
  return (layer as Partial<WithCell>).cell !== undefined;
}

function ofCell(layer: layers.Layer | undefined, path: string): NamedWeight[] {
  if (layer === undefined || !hasCell(layer)) return [];
  const {cell} = layer;
  if (cell.getClassName() !== 'StackedRNNCells') {
    return numbered(cell.weights, `${path}cell/`);
  }
  const cells = innerLayers(cell);
  const names = numberedNames(cells.map((each) => each.getClassName()));
  return cells.flatMap(({weights}, i) =>
    numbered(weights, `${path}cell/cells/${names[i] ?? ''}/`),
  );
}

/**
 * Lists the weights of a SpectralNormalization. Keras predicts with the kernel as it is
 * stored, divided by its norm in training, and stores it twice.
 */
function ofSpectral(
  outer: GraphLayer,
  inner: GraphLayer,
  path: string,
): NamedWeight[] {
  const {live} = outer;
  if (!live || !inner.live) return [];
  const {powerIterations, kernelIsNormalized} = live.getConfig();
  const kernel = kernelOf(inner.live, whoIs(outer));
  const vector = live.weights.find(({originalName}) =>
    originalName.endsWith(VECTOR_U),
  );
  if (vector === undefined) return [];
  const normalized = (): Tensor =>
    tidy(
      () =>
        normalizeSpectrally(
          kernel.read(),
          vector.read(),
          Number(powerIterations),
        ).kernel,
    );
  const written = (weight: LayerVariable, name: string): NamedWeight => {
    const isMade = weight === kernel && kernelIsNormalized !== true;
    const [stored] = numbered([weight], '');
    return {
      ...{path: name, isMade, shape: stored?.shape ?? []},
      read: isMade ? normalized : () => weight.read(),
    };
  };
  return [
    ...inner.live.weights.map((weight, i) =>
      written(weight, `${path}layer/vars/${i}`),
    ),
    written(kernel, `${path}vars/0`),
    written(vector, `${path}vars/1`),
  ];
}

/** Lists a layer's weights that Keras has too. */
function kept(layer: layers.Layer): LayerVariable[] {
  const description = normalizationFor(layer.getClassName());
  if (!description) return layer.weights;
  const names = keras3ParametersOf(description).map(({name}) => name);
  return layer.weights.filter(({originalName}) =>
    names.includes(originalName.slice(originalName.lastIndexOf('/') + 1)),
  );
}

function numbered(
  weights: readonly LayerVariable[],
  path: string,
): NamedWeight[] {
  return weights.map((weight, i) => ({
    path: `${path}vars/${i}`,
    shape: weight.shape as number[],
    read: () => weight.read(),
    isMade: false,
  }));
}
