import {join} from 'node:path';
import {startBackend} from '../tools/backend.js';
import {InputError} from '../tools/errors.js';
import {type BackendName, BACKENDS} from '../tools/backend_names.js';
import {checkOutput, writeWhole} from '../tools/output.js';
import {nameOf} from './cases.js';
import {drawChart} from './chart.js';
import {
  describeMachine,
  libtensorflowVersion,
  versionsWith,
} from './machine.js';
import {measureFolding} from './folding.js';
import {measureLayer} from './measure_layer.js';
import {Stock} from './stock.js';
import type {Options} from './options.js';
import {OtherKernels} from './other_kernels.js';
import {checkNative} from './native.js';
import {type Plan, planOf} from './plan.js';
import {measureProgram} from './programs.js';
import {createProgress, type Progress} from './progress.js';
import {
  type Device,
  type FoldingRow,
  isDefault,
  isGpu,
  type LayerRow,
  type ProgramRow,
  type Results,
} from './results.js';
import {measureInBrowser} from './in_browser.js';
import {Torch} from './torch.js';
import {FOLDED, PROGRAMS} from './whole_programs.js';

const INTERRUPTED = 130;

/** Measurements so far. */
interface Found {
  readonly layers: LayerRow[];
  readonly programs: ProgramRow[];
  readonly folding: FoldingRow[];
  readonly skipped: string[];
  devices: readonly Device[] | undefined;
  libtensorflow: string | null;
  torchVersion: string | null;
}

/**
 * Measures, and writes results.json and chart.svg.
 *
 * @returns The results, and the paths of the files.
 * @throws InputError if a requested backend does not load, or if a file cannot
 *   be written.
 */
export async function run(
  options: Options,
): Promise<{results: Results; files: string[]}> {
  const plan = planOf(options);
  checkOutput(plan.out, []);
  const gpu = options.backend.find(isGpu);
  if (options.programs && gpu !== undefined) {
    throw new InputError(
      `--programs: whole programs do not run on ${gpu}; npm run bench:page trains the ` +
        'digits network there',
    );
  }
  const date = new Date().toISOString();
  const found = await measureAll(options, plan);
  const {libtensorflow, torchVersion, devices, ...rows} = found;
  const results = {
    date,
    quick: options.quick,
    native: options.native,
    seconds: Math.round(process.uptime()),
    machine: describeMachine(),
    versions: versionsWith({libtensorflow, torch: torchVersion}),
    ...(devices ? {devices} : {}),
    ...rows,
  };
  return {results, files: save(results, plan.out)};
}

async function measureAll(options: Options, plan: Plan): Promise<Found> {
  const found: Found = {
    layers: [],
    programs: [],
    folding: [],
    skipped: [],
    devices: undefined,
    libtensorflow: null,
    torchVersion: null,
  };
  const backends = [...BACKENDS]
    .reverse()
    .filter((name) => options.backend.includes(name));
  const torch =
    plan.cases.length > 0 && backends.length > 0
      ? await startTorch(found)
      : undefined;
  const programs = plan.programs ? PROGRAMS.length + FOLDED.length : 0;
  const progress = createProgress(
    backends.length * (plan.cases.length + programs),
  );
  process.once('SIGINT', () => {
    // The terminal does not wrap lines while a bar is shown.
    progress.end();
    process.exit(INTERRUPTED);
  });
  try {
    for (const backend of backends) {
      if (!(await starts(backend, options, found))) continue;
      found.libtensorflow ??= libtensorflowVersion();
      await measureBackend(backend, plan, {found, progress, torch});
    }
  } finally {
    progress.end();
    torch?.close();
  }
  const gpus = options.backend.filter(isGpu);
  if (gpus.length > 0 && plan.cases.length > 0) {
    const {layers, devices, skipped} = await measureInBrowser(gpus, options);
    found.layers.push(...layers);
    found.skipped.push(...skipped);
    found.devices = devices;
  }
  return found;
}

/** Shared by the measurements of all backends. */
interface Measuring {
  readonly found: Found;
  readonly progress: Progress;
  readonly torch: Torch | undefined;
}

async function measureBackend(
  backend: BackendName,
  plan: Plan,
  {found, progress, torch}: Measuring,
): Promise<void> {
  const stock = await Stock.start(backend);
  let others: OtherKernels | undefined;
  try {
    if (plan.programs && plan.native) {
      others = await OtherKernels.start(backend);
    }
    for (const layerCase of plan.cases) {
      progress.begin(`${backend}, ${nameOf(layerCase)}, ${layerCase.mode}`);
      const peers = {torch, stock};
      found.layers.push(await measureLayer(backend, layerCase, plan, peers));
    }
    if (!plan.programs) return;
    for (const each of PROGRAMS) {
      progress.begin(`${backend}, ${each.program}, ${each.norm}`);
      const processes = {stock, others};
      found.programs.push(await measureProgram(backend, each, plan, processes));
    }
    for (const network of FOLDED) {
      progress.begin(`${backend}, folding, ${network.model}`);
      found.folding.push(await measureFolding(backend, network, plan, stock));
    }
  } finally {
    stock.close();
    others?.close();
  }
}

/** Skips a missing backend if all backends are requested by default. */
async function starts(
  backend: BackendName,
  options: Options,
  {skipped}: Found,
): Promise<boolean> {
  try {
    await startBackend(backend);
    if (options.native) checkNative();
    return true;
  } catch (error) {
    if (!isDefault(options.backend) || !(error instanceof InputError))
      throw error;
    skipped.push(`Skipped: ${error.message}`);
    return false;
  }
}

async function startTorch(found: Found): Promise<Torch | undefined> {
  try {
    const {torch, version} = await Torch.start(process.env.PYTHON ?? 'python3');
    found.torchVersion = version;
    return torch;
  } catch (error) {
    found.skipped.push(`Skipped: PyTorch: ${(error as Error).message}`);
    return undefined;
  }
}

/** @returns The paths of the files written. */
function save(results: Results, out: string): string[] {
  const resultsFile = join(out, 'results.json');
  writeWhole(resultsFile, `${JSON.stringify(results, toDigits, 2)}\n`);
  if (results.layers.length === 0) return [resultsFile];
  const chartFile = join(out, 'chart.svg');
  writeWhole(chartFile, drawChart(results.layers));
  return [resultsFile, chartFile];
}

const DIGITS = 5;

/** Drops digits below the clock's noise. */
function toDigits(_: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isInteger(value)) return value;
  return Number(value.toPrecision(DIGITS));
}
