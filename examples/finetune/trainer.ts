import type {LayersModel} from '@tensorflow/tfjs';
import type {Progress} from '../digits/progress.js';
import {Stop} from '../digits/stop.js';
import {type Tensors, train} from '../digits/train.js';
import {Watch} from '../digits/watch.js';

/** The length of a training, and the name to show for it. */
export interface Stage {
  readonly label: string;
  readonly epochs: number;
  readonly batchSize: number;
}

/** Trains networks and shows the progress. */
export class Trainer {
  constructor(
    readonly seed: number,
    private readonly progress: Progress,
  ) {}

  /** Trains a compiled network. */
  async train(
    model: LayersModel,
    tensors: Tensors,
    {label, epochs, batchSize}: Stage,
  ): Promise<void> {
    const examples = tensors.training.xs.shape[0];
    const batches = Math.ceil(examples / batchSize);
    const watched = {label, epochs, batches, passing: false};
    const watch = new Watch(this.progress, watched);
    const {onBatch, onEpoch} = watch;
    // Ctrl-C ends the program: there is nothing unfinished to save.
    const stop = new Stop(() => undefined);
    const {seed} = this;
    await train(model, tensors, {
      epochs,
      batchSize,
      seed,
      stop,
      onBatch,
      onEpoch,
    });
    watch.end();
  }
}
