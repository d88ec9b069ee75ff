import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import {reasonOf} from '../../tools/errors.js';
import {casesOf, isLast} from '../cases.js';
import {measureLayer} from '../measure_layer.js';
import type {GpuBackend, LayerCase, LayerRow} from '../results.js';
import {adapterOf, isSoftware} from './adapter.js';

/** A run of the page. */
export interface Request {
  readonly backends: readonly GpuBackend[];
  readonly shapes: ReadonlyArray<readonly number[]>;
  /** If true, few runs of each. */
  readonly quick: boolean;
}

/** A device that a backend found. */
export interface Device {
  readonly backend: GpuBackend;
  readonly adapter: string;
  readonly isSoftware: boolean;
}

/** What the page measured, as its button copies it. */
export interface PageResults {
  readonly date: string;
  readonly browser: string;
  readonly versions: {readonly tfjs: string};
  readonly devices: readonly Device[];
  readonly skipped: readonly string[];
  readonly layers: readonly LayerRow[];
}

/** Called as the measurement goes on. */
export interface Watcher {
  begin: (what: string, done: number, total: number) => void;
  found: (results: PageResults) => void;
}

const THOROUGH = {budget: 1000, runs: 50, warmUp: 50};
const QUICK = {budget: 50, runs: 3, warmUp: 2};

/** Stock runs that need more milliseconds than this are not measured. */
const LIMIT = 30_000;

/**
 * Measures training steps, each waiting for a small gradient that the GPU made: reading
 * dx back would take longer than all else.
 */
export async function measure(
  {backends, shapes, quick}: Request,
  {begin, found}: Watcher,
): Promise<PageResults> {
  const cases = trainingSteps(shapes);
  const total = backends.length * cases.length;
  let results: PageResults = {
    date: new Date().toISOString(),
    browser: navigator.userAgent,
    versions: {tfjs: tf.version.tfjs},
    devices: [],
    skipped: [],
    layers: [],
  };
  const add = (more: Partial<PageResults>): void => {
    results = {...results, ...more};
    found(results);
  };
  for (const [i, backend] of backends.entries()) {
    const adapter = await start(backend);
    if (adapter instanceof Error) {
      const why = `${backend}: ${reasonOf(adapter)}`;
      add({skipped: [...results.skipped, why]});
      continue;
    }
    const device = {backend, adapter, isSoftware: isSoftware(adapter)};
    add({devices: [...results.devices, device]});
    for (const [j, layerCase] of cases.entries()) {
      const {norm, shape} = layerCase;
      const what = `${backend}, ${norm} [${shape.join()}]`;
      begin(what, i * cases.length + j, total);
      const row = await measureLayer(backend, layerCase, {
        schedule: quick ? QUICK : THOROUGH,
        limit: LIMIT,
      });
      add({layers: [...results.layers, row]});
    }
  }
  begin('done', total, total);
  return results;
}

function trainingSteps(shapes: Request['shapes']): LayerCase[] {
  return casesOf(shapes).filter(
    (each) => each.mode === 'forward and backward' && isLast(each),
  );
}

/** Starts a backend, and returns the name of its device. */
async function start(backend: GpuBackend): Promise<string | Error> {
  try {
    if (!(await tf.setBackend(backend))) {
      return new Error('this browser does not start it');
    }
    await tf.ready();
    // Otherwise tf.js computes small tensors on the CPU.
    tf.env().set(`${backend.toUpperCase()}_CPU_FORWARD`, false);
    return adapterOf(backend) ?? 'unknown';
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
