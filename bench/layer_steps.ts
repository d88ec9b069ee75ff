import * as tf from '@tensorflow/tfjs';
import {BatchNorm, batchNorm, layerNorm} from 'tfjs-normalization';
import {withFused} from './fused.js';
import type {Contender, LayerCase} from './results.js';
import {
  disposeVariablesExcept,
  EPSILON,
  type Inputs,
  prepared,
  randomInputs,
  type Step,
  stockStep,
  trainingStep,
} from './stock_steps.js';

/** Contenders that compute with tf.js. */
export type InProcess = Exclude<Contender, 'torch'>;

/**
 * A computation by each contender that supports it, and a function to call at
 * the end.
 */
export interface Steps {
  readonly steps: Readonly<Record<InProcess, Step>>;
  readonly dispose: () => void;
}

/** Builds a computation for all contenders, over the same random numbers. */
export function buildSteps(layerCase: LayerCase): Steps {
  const inputs = randomInputs(layerCase);
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  const ours = ourStep(layerCase, inputs);
  const steps = {
    stock: stockStep(layerCase, inputs),
    composed: () => withFused(false, ours),
    fused: () => withFused(true, ours),
    add: () => [tf.add(inputs.x, inputs.dy)],
  };
  const dispose = (): void => {
    tf.dispose(Object.values(inputs) as tf.Tensor[]);
    disposeVariablesExcept(before);
  };
  return {steps, dispose};
}

const FACTORIES = {'batch norm': batchNorm, 'layer norm': layerNorm} as const;

function ourStep(layerCase: LayerCase, inputs: Inputs): Step {
  const {norm, axis, mode} = layerCase;
  const created: tf.layers.Layer = FACTORIES[norm]({axis, epsilon: EPSILON});
  const layer = prepared(created, layerCase, inputs);
  if (mode === 'inference') return () => [layer.apply(inputs.x) as tf.Tensor];
  // Stock's computation has no moving statistics.
  if (layer instanceof BatchNorm) layer.statistics = 'batch';
  return trainingStep(layer, inputs);
}
