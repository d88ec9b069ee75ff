import {fileSystem} from 'tfjs-normalization/node';
import {startBackend} from '../../tools/backend.js';
import type {Data} from '../digits/dataset.js';
import {createProgress} from '../digits/progress.js';
import {evaluate, toTensors} from '../digits/train.js';
import {halvesOf} from './halves.js';
import {compile, createNetwork} from './network.js';
import {BACKENDS} from '../../tools/backend_names.js';
import {type Options} from './options.js';
import {reportOf} from './report.js';
import {Trainer} from './trainer.js';
import {tune, type Tuned} from './tune.js';

/** The number of training images of the new digits. */
const FEW = 100;
const RATE = 0.1;
const BASE = {label: 'base', epochs: 4, batchSize: 32};

/** Trains and saves the network, and tunes the saved one both ways. */
export async function run(
  {backend: asked, seed, out}: Options,
  data: Data,
): Promise<void> {
  const backend = await startBackend(asked, BACKENDS);
  const halves = halvesOf(data, FEW);
  const tensors = {
    old: toTensors(halves.old),
    young: toTensors(halves.young),
  };
  console.log(
    `Base     trained on ${halves.old.training.labels.length} images of 0 to 4\n` +
      `Tuning   to ${halves.young.training.labels.length} images of 5 to 9\n` +
      `Backend  ${backend.name} (${backend.why})\n`,
  );
  const trainer = new Trainer(seed, createProgress(false));
  const model = createNetwork(seed);
  compile(model, RATE);
  await trainer.train(model, tensors.old, BASE);
  const [, before] = evaluate(model, tensors.old.validation);
  await model.save(fileSystem(out));
  const runs: Tuned[] = [];
  for (const frozen of [true, false]) {
    console.log(frozen ? '\nBatchNorm frozen' : '\nBatchNorm not frozen');
    runs.push(await tune(out, frozen, tensors, trainer));
  }
  console.log(`\n${reportOf(before, runs)}`);
}
