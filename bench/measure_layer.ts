import os from 'node:os';
import {dispose, slice, type Tensor} from '@tensorflow/tfjs';
import {oneLine, reasonOf} from '../tools/errors.js';
import {problemsOf} from './agreement.js';
import {rowsOf, withRows} from './cases.js';
import {rounded} from './figures.js';
import {buildSteps, type Steps} from './layer_steps.js';
import type {Plan} from './plan.js';
import {predict} from './prediction.js';
import {
  type Cell,
  CONTENDERS,
  type Contender,
  isGpu,
  isStockNorm,
  type LayerCase,
  type LayerRow,
} from './results.js';
import type {Stock} from './stock.js';
import {NO_STOCK, type Step} from './stock_steps.js';
import {interleave, type Program} from './timing.js';
import type {Torch} from './torch.js';

type Problems = Partial<Record<Contender, string>>;

/**
 * Contenders in separate processes. Without one for stock, it runs in this
 * process.
 */
export interface Peers {
  readonly torch?: Torch | undefined;
  readonly stock?: Stock | undefined;
}

/** Measures one computation by each contender that supports it, in turn. */
export async function measureLayer(
  backend: LayerRow['backend'],
  layerCase: LayerCase,
  {schedule, limit}: Pick<Plan, 'schedule' | 'limit'>,
  peers: Peers = {},
): Promise<LayerRow> {
  const {torch, stock} = peers;
  const waits = isGpu(backend) || layerCase.mode !== 'inference';
  const problems = await problemsBefore(layerCase, limit, waits, stock);
  await stock?.prepare(layerCase);
  problems.torch = await failing(() =>
    notReady(torch, layerCase, threadsOf(backend)),
  );
  const {steps, dispose: disposeSteps} = buildSteps(layerCase);
  const measured = await interleave(
    programsOf(steps, problems, waits, peers),
    schedule,
  );
  disposeSteps();
  const cells = CONTENDERS.map((name) => [
    name,
    measured[name] ?? {unavailable: problems[name] ?? 'not measured'},
  ]);
  return {
    backend,
    ...layerCase,
    cells: Object.fromEntries(cells) as Record<Contender, Cell>,
  };
}

/** Returns the reasons not to time stock or the fused kernels. */
async function problemsBefore(
  layerCase: LayerCase,
  limit: number,
  waits: boolean,
  stock: Stock | undefined,
): Promise<Problems> {
  if (!isStockNorm(layerCase.norm)) {
    return {...problemsOf(layerCase, ['fused']), stock: NO_STOCK};
  }
  const problems: Problems = problemsOf(layerCase, ['stock', 'fused']);
  problems.stock ??= await failing(() =>
    tooSlow(layerCase, limit, waits, stock),
  );
  return problems;
}

/** Returns the number of threads that the backend uses. */
function threadsOf(backend: LayerRow['backend']): number {
  return backend === 'tensorflow' ? os.cpus().length : 1;
}

/** Returns the programs, without those that are not worth running. */
function programsOf(
  steps: Steps['steps'],
  problems: Problems,
  waits: boolean,
  {torch, stock}: Peers,
): Partial<Record<Contender, Program>> {
  const names = CONTENDERS.filter((name) => problems[name] === undefined);
  const programOfName = (name: Contender): (() => unknown) => {
    if (name === 'torch') return () => torch?.run();
    const isStocks = name === 'stock' || name === 'add';
    if (isStocks && stock) return () => stock.run(name);
    return programOf(steps[name], waits);
  };
  const programs = names.map((name) => [name, programOfName(name)]);
  return Object.fromEntries(programs) as Partial<Record<Contender, Program>>;
}

/**
 * The backends of Node have computed a result when they return it, so there is
 * nothing to wait for; but a training step reads a small result, as training
 * does. A GPU is waited for always.
 */
function programOf(step: Step, waits: boolean): Program {
  return async () => {
    const results = step();
    const last = results[results.length - 1];
    if (waits && last) await read(last);
    dispose(results);
    return undefined;
  };
}

/** The most values that are read as they are: a GPU hands more over slowly. */
const FEW_VALUES = 4096;

/** Waits for a result: for all of it, or for one value if it is large. */
async function read(result: Tensor): Promise<void> {
  if (result.size <= FEW_VALUES) {
    await result.data();
    return;
  }
  const {shape} = result;
  const one = slice(
    result,
    shape.map(() => 0),
    shape.map(() => 1),
  );
  await one.data();
  one.dispose();
}

/** Returns a reason to skip stock tf.js if it would take too long. */
async function tooSlow(
  layerCase: LayerCase,
  limit: number,
  waits: boolean,
  stock: Stock | undefined,
): Promise<string | undefined> {
  const measure = async (rows: number): Promise<number> => {
    const part = withRows(layerCase, rows);
    if (stock) {
      await stock.prepare(part);
      return stock.run('stock');
    }
    const {steps, dispose: disposeSteps} = buildSteps(part);
    try {
      const begin = performance.now();
      await programOf(steps.stock, waits)();
      return performance.now() - begin;
    } finally {
      disposeSteps();
    }
  };
  const expected = await predict(rowsOf(layerCase), measure, limit);
  if (expected <= limit) return undefined;
  return (
    `over ${rounded(limit / 1000)} s: ` +
    `about ${rounded(expected / 1000)} s a run, judging by smaller inputs`
  );
}

async function notReady(
  torch: Torch | undefined,
  layerCase: LayerCase,
  threads: number,
): Promise<string | undefined> {
  if (torch === undefined) return 'no PyTorch';
  await torch.prepare(layerCase, threads);
  return undefined;
}

/** Returns the problem found, or the error thrown while looking for it. */
async function failing(
  look: () => Promise<string | undefined>,
): Promise<string | undefined> {
  try {
    return await look();
  } catch (error) {
    return `throws: ${oneLine(reasonOf(error))}`;
  }
}
