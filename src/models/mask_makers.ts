import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {layersOf} from './walk_layers.js';

/**
 * The rank of the smallest mask that a layer of a model makes, or undefined where
 * none makes any. A mask covers what has more axes than itself.
 */
export function lowestMaskRank(model: LayersModel): number | undefined {
  const ranks = layersOf(model).flatMap(({layer}) => maskRankOf(layer) ?? []);
  return ranks.length === 0 ? undefined : Math.min(...ranks);
}

function maskRankOf(layer: layers.Layer): number | undefined {
  const [input] = layer.inboundNodes[0]?.inputTensors ?? [];
  const rank = input?.rank ?? 1;
  switch (layer.getClassName()) {
    case 'Masking':
      return rank - 1;
    case 'Embedding':
      return layer.getConfig().maskZero === true ? rank : undefined;
    default:
      return undefined;
  }
}
