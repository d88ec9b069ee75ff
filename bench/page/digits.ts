import * as tf from '@tensorflow/tfjs';
import {parseCsv} from '../../examples/digits/data_csv.js';
import type {Images} from '../../examples/digits/images.js';
import {
  createNetwork,
  type NormFactories,
  STOCK,
} from '../../examples/digits/network.js';
import {PACKAGE} from '../../examples/digits/norm_layers.js';
import {type Examples, toTensors} from '../../examples/digits/train.js';
import {epochOf as timedEpoch} from '../epochs.js';
import {withFusedDuring} from '../fused.js';
import {
  type Cell,
  type DigitsRow,
  type GpuBackend,
  type Network,
  NETWORKS,
} from '../results.js';
import {disposeVariablesExcept} from '../stock_steps.js';
import {interleave, type Program} from '../timing.js';

/** Beside the page. */
const FILE = 'digits.csv';

/** As those of `npm start`. */
const OPTIONS = {
  activation: 'sigmoid',
  learningRate: 0.1,
  momentum: 0.99,
  movingAverage: 'debiased',
  seed: 1,
} as const;
const BATCH_SIZE = 60;

/** Reads the handwritten digits that lie beside the page. */
export async function fetchDigits(): Promise<Images> {
  const response = await fetch(FILE);
  if (!response.ok) throw new Error(`${FILE} is not beside the page`);
  return parseCsv(await response.text(), FILE);
}

/**
 * Trains the digits network on the backend in use: an epoch of each network in turn. The
 * page paints and reacts meanwhile.
 *
 * @param epochs How many epochs count. One more comes before them.
 */
export async function trainDigits(
  backend: GpuBackend,
  images: Images,
  epochs: number,
  begin: (what: string) => void,
): Promise<DigitsRow> {
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  const {training, validation} = toTensors({
    training: images,
    validation: images,
  });
  const programs = NETWORKS.map((network) => {
    const epoch = epochOf(network, images.size, training);
    let count = 0;
    return [
      network,
      () => {
        begin(`${backend}, digits, ${network}, epoch ${(count += 1)}`);
        return withFusedDuring(network !== 'composed', epoch);
      },
    ] as const;
  });
  const pauses = watchPauses();
  const cells = await interleave(
    Object.fromEntries(programs) as Record<Network, Program>,
    {budget: Infinity, runs: epochs, warmUp: 1},
  );
  const longestPause = pauses.end();
  tf.dispose([training, validation].flatMap(({xs, ys}) => [xs, ys]));
  disposeVariablesExcept(before);
  return {backend, cells: cells as Record<Network, Cell>, longestPause};
}

function epochOf(network: Network, size: number, training: Examples): Program {
  const factories: Readonly<Record<Network, NormFactories>> = {
    plain: {},
    fused: PACKAGE,
    composed: PACKAGE,
    stock: STOCK,
  };
  const norm = network === 'plain' ? 'none' : 'batch';
  const model = createNetwork(norm, size, OPTIONS, factories[network]);
  const {seed} = OPTIONS;
  return timedEpoch({model, training, seed, batchSize: BATCH_SIZE});
}

/** Measures the times between two frames of the page. */
function watchPauses(): {end: () => number} {
  let longest = 0;
  let latest = performance.now();
  let frame = requestAnimationFrame(function tick() {
    const now = performance.now();
    longest = Math.max(longest, now - latest);
    latest = now;
    frame = requestAnimationFrame(tick);
  });
  return {
    end: () => {
      cancelAnimationFrame(frame);
      return longest;
    },
  };
}
