import {join} from 'node:path';
import {startBackend} from '../../tools/backend.js';
import {drawChart} from './chart.js';
import type {Data} from './dataset.js';
import type {Metrics, RunMetrics} from './metrics.js';
import type {BackendName} from '../../tools/backend_names.js';
import type {Options} from './options.js';
import {writeWhole} from '../../tools/output.js';
import {createProgress} from './progress.js';
import {predictReloaded, sameBits} from './reload_check.js';
import {reportOf, startOf, stopOf} from './report.js';
import {Stop} from './stop.js';
import {toTensors} from './train.js';
import {type Job, trainAll, type Trained} from './train_all.js';

const INTERRUPTED = 130;

/**
 * Trains, saves and reloads the networks, and prints the report.
 *
 * @returns The exit code.
 * @throws InputError if the backend does not load or a file cannot be written.
 */
export async function run(options: Options, data: Data): Promise<number> {
  const backend = await startBackend(options.backend);
  const progress = createProgress(options.quiet);
  const stop = new Stop(() => {
    progress.close();
    process.exit(INTERRUPTED);
  });
  stop.listen();
  if (!options.quiet) console.log(`${startOf(options, data, backend)}\n`);
  const tensors = toTensors(data);
  const job = {options, data, tensors, stop, progress};
  const trained = await trainAll(job);
  const runs = stop.requested
    ? trained.map(({metrics}) => metrics)
    : await checkReloaded(trained, job, backend.name);
  const metrics = collect(runs, job, backend.name);
  const files = runs.length > 0 ? save(metrics, options.out) : [];
  if (!options.quiet) console.log();
  console.log((metrics.stopped ? stopOf : reportOf)(metrics, files));
  if (metrics.stopped) return INTERRUPTED;
  return runs.every(({reloadedEqual}) => reloadedEqual) ? 0 : 1;
}

async function checkReloaded(
  trained: readonly Trained[],
  {options, data}: Job,
  backend: BackendName,
): Promise<RunMetrics[]> {
  const folders = trained.map(({metrics}) => join(options.out, metrics.norm));
  const reloaded = await predictReloaded(backend, folders, data.validation);
  return trained.map(({metrics, predictions}, i) => ({
    ...metrics,
    reloadedEqual: sameBits(predictions, reloaded[i]),
  }));
}

function collect(
  runs: readonly RunMetrics[],
  {options, data, stop}: Job,
  backend: BackendName,
): Metrics {
  const {seed, activation, epochs, batchSize, learningRate} = options;
  const {momentum, movingAverage} = options;
  return {
    data: {
      path: options.data,
      training: data.training.labels.length,
      validation: data.validation.labels.length,
      pixels: data.training.size,
    },
    backend,
    seed,
    activation,
    epochs,
    batchSize,
    learningRate,
    momentum,
    movingAverage,
    stopped: stop.requested,
    runs,
  };
}

/** @returns The paths of all files written. */
function save(metrics: Metrics, out: string): string[] {
  const {runs, epochs} = metrics;
  const metricsFile = join(out, 'metrics.json');
  const chartFile = join(out, 'chart.svg');
  writeWhole(metricsFile, `${JSON.stringify(metrics, null, 2)}\n`);
  writeWhole(chartFile, drawChart(runs, epochs));
  return [...runs.map(({model}) => join(out, model)), metricsFile, chartFile];
}
