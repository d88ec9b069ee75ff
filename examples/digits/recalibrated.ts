import type {LayersModel} from '@tensorflow/tfjs';
import {recalibrate} from 'tfjs-normalization';
import {evaluate, type Tensors} from './train.js';

/**
 * Predictions of a network with the statistics of the whole training set. They
 * are made by a twin, so that the network's own training is not affected.
 */
export class Recalibrated {
  /** @param twin A network of the same kind. */
  constructor(
    private readonly twin: LayersModel,
    private readonly tensors: Tensors,
    private readonly batchSize: number,
  ) {}

  /** Returns the validation accuracy. */
  async accuracyOf(model: LayersModel): Promise<number> {
    const {twin, batchSize} = this;
    const {training, validation} = this.tensors;
    twin.setWeights(model.getWeights());
    await recalibrate(twin, training.xs, {batchSize, exact: true});
    const [, accuracy] = evaluate(twin, validation);
    return accuracy;
  }

  /** Frees the twin. */
  dispose(): void {
    this.twin.dispose();
  }
}
