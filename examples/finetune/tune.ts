import * as tf from '@tensorflow/tfjs';
import {BatchNorm, freezeBatchNorm} from 'tfjs-normalization';
import {fileSystem} from 'tfjs-normalization/node';
import {evaluate, type Tensors} from '../digits/train.js';
import {compile, createHead, TOP} from './network.js';
import type {Trainer} from './trainer.js';

/** Accuracies of a tuned network at some point, from 0 to 1. */
export interface Accuracies {
  /** Of the digits 5 to 9, with the new head. */
  readonly young: number;
  /** Of the digits 0 to 4, with the old head on the same base. */
  readonly old: number;
}

/** The results of tuning a network. */
export interface Tuned {
  /** If true, its batch normalization was frozen. */
  readonly frozen: boolean;
  /** After training only the head. */
  readonly head: Accuracies;
  /** After training the top of the base as well. */
  readonly top: Accuracies;
}

/** A batch as small as limited memory allows for a large network. */
const BATCH_SIZE = 2;
const HEAD = {label: 'head', epochs: 6, rate: 0.03};
const TOP_UNFROZEN = {label: 'top', epochs: 6, rate: 0.006};

/**
 * Tunes the saved network: first a new head on the base, whose kernels are
 * frozen, then the last block of the base too.
 *
 * @param frozen If true, batch normalization is frozen meanwhile.
 */
export async function tune(
  folder: string,
  frozen: boolean,
  {old, young}: {readonly old: Tensors; readonly young: Tensors},
  trainer: Trainer,
): Promise<Tuned> {
  const trained = await tf.loadLayersModel(fileSystem(folder));
  const {base, model} = withNewHead(trained, trainer.seed);
  for (const layer of base.layers) {
    if (!(layer instanceof BatchNorm)) layer.trainable = false;
  }
  if (frozen) freezeBatchNorm(base);
  compile(trained, 0);
  const accuracies = (): Accuracies => ({
    young: evaluate(model, young.validation)[1],
    old: evaluate(trained, old.validation)[1],
  });

  compile(model, HEAD.rate);
  await trainer.train(model, young, {...HEAD, batchSize: BATCH_SIZE});
  const head = accuracies();

  for (const layer of base.layers) {
    if (layer.name === `${TOP}_conv`) layer.trainable = true;
  }
  compile(model, TOP_UNFROZEN.rate);
  await trainer.train(model, young, {...TOP_UNFROZEN, batchSize: BATCH_SIZE});
  return {frozen, head, top: accuracies()};
}

/** Returns the trained layers with another head. */
function withNewHead(
  trained: tf.LayersModel,
  seed: number,
): {base: tf.LayersModel; model: tf.LayersModel} {
  const features = trained.layers.at(-2)?.output as tf.SymbolicTensor;
  const base = tf.model({inputs: trained.inputs, outputs: features});
  const head = createHead('new_head', seed).apply(features);
  const outputs = head as tf.SymbolicTensor;
  return {base, model: tf.model({inputs: trained.inputs, outputs})};
}
