import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  rmsNorm,
} from 'tfjs-normalization';
import {groupsOf} from './cases.js';
import {withFused} from './fused.js';
import type {Contender, LayerCase, Norm} from './results.js';
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

const FACTORIES: Readonly<
  Record<
    Norm,
    (
      args: {axis: number; epsilon: number},
      layerCase: LayerCase,
    ) => tf.layers.Layer
  >
> = {
  'batch norm': (args) => batchNorm(args),
  'layer norm': (args) => layerNorm(args),
  'group norm': (args, layerCase) =>
    groupNorm({...args, groups: groupsOf(layerCase)}),
  'instance norm': (args) => instanceNorm(args),
  'rms norm': (args) => rmsNorm(args),
};

function ourStep(layerCase: LayerCase, inputs: Inputs): Step {
  const {norm, axis, mode} = layerCase;
  const created = FACTORIES[norm]({axis, epsilon: EPSILON}, layerCase);
  const layer = prepared(created, layerCase, inputs);
  if (mode === 'inference') return () => [layer.apply(inputs.x) as tf.Tensor];
  // Stock's computation has no moving statistics.
  if (layer instanceof BatchNorm) layer.statistics = 'batch';
  return trainingStep(layer, inputs);
}
