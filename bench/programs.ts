import * as tf from '@tensorflow/tfjs';
import {patchStockLayers} from 'tfjs-normalization';
import {type NormFactory, STOCK} from '../examples/digits/network.js';
import {PACKAGE} from '../examples/digits/norm_layers.js';
import type {BackendName} from '../tools/backend_names.js';
import type {OtherKernels} from './other_kernels.js';
import type {Plan} from './plan.js';
import {
  type Cell,
  isTiming,
  type ProgramRow,
  type Variant,
  VARIANTS,
} from './results.js';
import type {Stock} from './stock.js';
import {disposeVariablesExcept} from './stock_steps.js';
import {interleave, type Program} from './timing.js';
import {type Described, factoryIn, type Prepared} from './whole_programs.js';

/** Processes that a program is measured in besides this one. */
export interface Processes {
  /** Without it, stock tf.js runs in this one. */
  readonly stock?: Stock | undefined;
  /** Without it, only the kernels of this process are measured. */
  readonly others?: OtherKernels | undefined;
}

/** Measures a program with each normalization, in turn. */
export async function measureProgram(
  backend: BackendName,
  described: Described,
  {programSchedule, epochs}: Pick<Plan, 'programSchedule' | 'epochs'>,
  {stock, others}: Processes = {},
): Promise<ProgramRow> {
  const {program, norm, run} = described;
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  await stock?.prepareProgram(program, norm);
  await others?.prepareProgram(program, norm);
  const prepared = VARIANTS.map(
    (variant) => [variant, prepareVariant(variant, described, stock)] as const,
  );
  const programs = prepared.map(([variant, own]) => [variant, own.run]);
  const {otherKernels, ...measured} = await interleave(
    {
      ...(Object.fromEntries(programs) as Record<Variant, Program>),
      ...(others && {otherKernels: () => others.run('ours')}),
    },
    run === 'epoch'
      ? {budget: Infinity, runs: epochs, warmUp: 1}
      : programSchedule,
  );
  for (const [, {held}] of prepared) held.forEach((one) => one.dispose());
  disposeVariablesExcept(before);
  const cells = measured as Record<Variant, Cell>;
  return {
    ...{backend, program, norm, run, cells},
    ...(otherKernels && {otherKernels}),
    normalizationShare: share(cells),
  };
}

function prepareVariant(
  variant: Variant,
  {norm, prepare}: Described,
  stock: Stock | undefined,
): Prepared {
  if (variant === 'ours') return prepare(factoryIn(PACKAGE, norm));
  if (variant === 'patched') {
    return preparePatched(prepare, factoryIn(STOCK, norm));
  }
  if (stock) return {run: () => stock.run(variant), held: []};
  return prepare(variant === 'stock' ? factoryIn(STOCK, norm) : undefined);
}

/** Patched layers are stock layers, built and run while tf.js is patched. */
function preparePatched(
  prepare: Described['prepare'],
  makeNorm: NormFactory,
): Prepared {
  const unpatch = patchStockLayers();
  const {run, held} = prepare(makeNorm);
  unpatch();
  const runPatched: Program = async () => {
    patchStockLayers();
    try {
      return await run();
    } finally {
      unpatch();
    }
  };
  return {run: runPatched, held};
}

function share({none, ours}: Record<Variant, Cell>): number | null {
  if (!isTiming(none) || !isTiming(ours)) return null;
  return (ours.median - none.median) / ours.median;
}
