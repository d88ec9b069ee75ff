import type {
  layers,
  LayersModel,
  SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import {received} from '../../util/received.js';
import {isBatchNorm, type PlacedBatchNorm} from './batch_norms.js';
import {innerLayers, isModel} from './walk_layers.js';

/** How many batch normalizations come before each, on the longest way to it. */
type Depths = Map<layers.Layer, number>;

/**
 * The batch normalizations in the order of their depth, those of one depth
 * together: the statistics of each depend on those of lower depths alone.
 *
 * @param who The function that asks, for the message.
 * @throws Error if one of them comes after itself.
 */
export function byDepth(
  model: LayersModel,
  norms: readonly PlacedBatchNorm[],
  who: string,
): PlacedBatchNorm[][] {
  const depths = depthsOf(model, who);
  const groups = new Map<number, PlacedBatchNorm[]>();
  for (const norm of norms) {
    const depth = depths.get(norm.layer) ?? 0;
    groups.set(depth, [...(groups.get(depth) ?? []), norm]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** What comes after a layer used twice comes after the deeper of its uses. */
function depthsOf(model: LayersModel, who: string): Depths {
  let depths: Depths = new Map();
  for (;;) {
    const deeper = new Map(depths);
    enterModel(model, 0, deeper);
    const moved = [...deeper].find(([norm, at]) => depths.get(norm) !== at);
    if (moved === undefined) return depths;
    const [{name}, depth] = moved;
    if (depth >= deeper.size) {
      throw new Error(
        `${who}: ${name} is used again after itself, so that its statistics ` +
          `depend on themselves, and are not found exactly. ` +
          received('exact', true),
      );
    }
    depths = deeper;
  }
}

/**
 * @param depth How many normalizations come before the model's inputs.
 * @return How many come before its outputs.
 */
function enterModel(model: LayersModel, depth: number, depths: Depths): number {
  const before = new Map(model.inputs.map(({id}) => [id, depth]));
  const deepest = (tensors: readonly SymbolicTensor[]): number =>
    Math.max(depth, ...tensors.map(({id}) => before.get(id) ?? depth));
  for (const {outboundLayer, inputTensors, outputTensors} of callsOf(model)) {
    const after = enterLayer(outboundLayer, deepest(inputTensors), depths);
    for (const {id} of outputTensors) before.set(id, after);
  }
  return deepest(model.outputs);
}

function enterLayer(
  layer: layers.Layer,
  depth: number,
  depths: Depths,
): number {
  if (isModel(layer)) return enterModel(layer, depth, depths);
  if (isBatchNorm(layer)) {
    const deepest = Math.max(depth, depths.get(layer) ?? 0);
    depths.set(layer, deepest);
    return deepest + 1;
  }
  const inner = innerLayers(layer).map((each) =>
    enterLayer(each, depth, depths),
  );
  return Math.max(depth, ...inner);
}

/** The calls of a model's layers, each after those it takes from. */
function callsOf({nodesByDepth}: LayersModel): LayersModel['nodesByDepth'][''] {
  return Object.keys(nodesByDepth)
    .map(Number)
    .sort((a, b) => b - a)
    .flatMap((depth) => nodesByDepth[depth] ?? []);
}
