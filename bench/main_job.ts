import {readData} from '../examples/digits/dataset.js';
import {createNetwork, type NormFactory} from '../examples/digits/network.js';
import type {Norm} from '../examples/digits/norms.js';
import {parseOptions} from '../examples/digits/options.js';
import {toTensors} from '../examples/digits/train.js';
import {epochOf} from './epochs.js';
import type {Prepared} from './whole_programs.js';

/**
 * An epoch of `npm start` with its default options.
 *
 * @param makeNorm Makes its normalizations; without it, there are none.
 */
export function mainJob(
  norm: Extract<Norm, 'batch' | 'layer'>,
  makeNorm: NormFactory | undefined,
): Prepared {
  const options = parseOptions([], () => undefined);
  if (options === undefined) throw new Error('npm start has no defaults');
  const {data: path, seed, batchSize} = options;
  const data = readData(path, seed);
  const {training, validation} = toTensors(data);
  const model = createNetwork(
    makeNorm === undefined ? 'none' : norm,
    data.training.size,
    options,
    makeNorm === undefined ? {} : {[norm]: makeNorm},
  );
  const run = epochOf({model, training, seed, batchSize});
  const tensors = [training, validation].flatMap(({xs, ys}) => [xs, ys]);
  return {run, held: [...tensors, model.optimizer]};
}
