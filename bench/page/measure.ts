import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import {reasonOf} from '../../tools/errors.js';
import {casesOf, isLast, nameOf} from '../cases.js';
import {measureLayer} from '../measure_layer.js';
import type {Device, GpuBackend, LayerCase, LayerRow} from '../results.js';
import {adapterOf, isSoftware} from './adapter.js';
import {type DigitsRow, fetchDigits, NETWORKS, trainDigits} from './digits.js';

/** A run of the page. */
export interface Request {
  readonly backends: readonly GpuBackend[];
  readonly shapes: ReadonlyArray<readonly number[]>;
  /** If true, few runs of each. */
  readonly quick: boolean;
  /** In seconds, for each figure; the default depends on `quick`. */
  readonly budget?: number | undefined;
  /** In seconds: stock that needs more is out. Defaults to 30. */
  readonly limit?: number | undefined;
  readonly parts: readonly Part[];
  /** If true, inference and channels first, too. */
  readonly all: boolean;
}

/** The parts of a run: layers, and the digits network. */
export const PARTS = ['layers', 'digits'] as const;

export type Part = (typeof PARTS)[number];

/** What the page measured, as its button copies it. */
export interface PageResults {
  readonly date: string;
  readonly browser: string;
  readonly versions: {readonly tfjs: string};
  readonly devices: readonly Device[];
  readonly skipped: readonly string[];
  readonly layers: readonly LayerRow[];
  readonly digits: readonly DigitsRow[];
}

/** Called as the measurement goes on. */
export interface Watcher {
  begin: (what: string, done: number, total: number) => void;
  found: (results: PageResults) => void;
}

const THOROUGH = {budget: 1000, first: 1, runs: 50, warmUp: 50};
const QUICK = {budget: 50, first: 1, runs: 3, warmUp: 2};
const EPOCHS = {thorough: 10, quick: 2};

/** Stock runs that need more seconds than this are not measured. */
const LIMIT = 30;

/**
 * Measures training steps, each waiting for a small gradient that the GPU made: reading
 * dx back would take longer than all else.
 */
export async function measure(
  {backends, shapes, quick, parts, all, ...limits}: Request,
  {begin, found}: Watcher,
): Promise<PageResults> {
  const cases = parts.includes('layers') ? casesFor(shapes, all) : [];
  const schedule = quick ? QUICK : THOROUGH;
  const budget =
    limits.budget === undefined ? schedule.budget : 1000 * limits.budget;
  const epochs = quick ? EPOCHS.quick : EPOCHS.thorough;
  const perBackend =
    cases.length +
    (parts.includes('digits') ? NETWORKS.length * (epochs + 1) : 0);
  const total = backends.length * perBackend;
  let results: PageResults = {
    date: new Date().toISOString(),
    browser: navigator.userAgent,
    versions: {tfjs: tf.version.tfjs},
    devices: [],
    skipped: [],
    layers: [],
    digits: [],
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
      const what = `${backend}, ${nameOf(layerCase)}, ${layerCase.mode}`;
      begin(what, i * perBackend + j, total);
      const row = await measureLayer(backend, layerCase, {
        schedule: {...schedule, budget},
        limit: 1000 * (limits.limit ?? LIMIT),
      });
      add({layers: [...results.layers, row]});
    }
    if (parts.includes('digits')) {
      let done = i * perBackend + cases.length;
      const images = await fetchDigits();
      const row = await trainDigits(backend, images, epochs, (what) =>
        begin(what, done++, total),
      );
      add({digits: [...results.digits, row]});
    }
  }
  begin('done', total, total);
  return results;
}

function casesFor(shapes: Request['shapes'], all: boolean): LayerCase[] {
  return casesOf(shapes).filter(
    (each) => all || (each.mode === 'forward and backward' && isLast(each)),
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
