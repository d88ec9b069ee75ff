import {type LayersModel, Sequential} from '@tensorflow/tfjs-layers';

/**
 * Builds a sequential model that has not been used yet, and so has no graph.
 *
 * @throws Error if it has no layers.
 */
export function ensureBuilt(model: LayersModel): void {
  const isUnused = model.inputNames.length === 0;
  if (isUnused && model instanceof Sequential) model.build();
}
