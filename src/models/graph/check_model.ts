import {LayersModel, Sequential} from '@tensorflow/tfjs-layers';
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
