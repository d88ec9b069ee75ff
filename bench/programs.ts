import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm, patchStockLayers} from 'tfjs-normalization';
import type {BackendName} from '../examples/digits/options.js';
import {disposeVariablesExcept} from './stock_steps.js';
import {mainJob} from './main_job.js';
import {mlp} from './mlp.js';
import type {Plan} from './plan.js';
import {
  type Cell,
  isTiming,
  type StockNorm,
  type ProgramRow,
  type Variant,
  VARIANTS,
} from './results.js';
import {interleave, type Program} from './timing.js';
import {transformerBlock} from './transformer_block.js';

/** Makes a normalization, or nothing for a program without any. */
export type MakeNorm = () => tf.layers.Layer | undefined;

/**
 * A program that is ready to run, with the tensors it holds besides variables.
 */
export interface Prepared {
  readonly run: Program;
  readonly held: ReadonlyArray<{dispose: () => void}>;
}

/** A program, built anew for each variant. */
interface Described {
  readonly program: string;
  readonly norm: StockNorm;
  readonly run: ProgramRow['run'];
  readonly prepare: (variant: Variant) => Prepared;
}

/** The whole programs to measure. */
export const PROGRAMS: readonly Described[] = [
  {
    program: 'main job',
    norm: 'batch norm',
    run: 'epoch',
    prepare: (variant) => mainJob('batch', variant),
  },
  {
    program: 'main job',
    norm: 'layer norm',
    run: 'epoch',
    prepare: (variant) => mainJob('layer', variant),
  },
  {
    program: 'MLP',
    norm: 'batch norm',
    run: 'training step',
    prepare: (variant) => mlp(makerOf('batch norm', variant)),
  },
  {
    program: 'transformer block',
    norm: 'layer norm',
    run: 'training step',
    prepare: (variant) => transformerBlock(makerOf('layer norm', variant)),
  },
];

const STOCK = {
  'batch norm': () => tf.layers.batchNormalization(),
  'layer norm': () => tf.layers.layerNormalization(),
};

const OURS = {
  'batch norm': () => batchNorm(),
  'layer norm': () => layerNorm(),
};

function makerOf(norm: StockNorm, variant: Variant): MakeNorm {
  if (variant === 'none') return () => undefined;
  return variant === 'ours' ? OURS[norm] : STOCK[norm];
}

/** Measures a program with each normalization, in turn. */
export async function measureProgram(
  backend: BackendName,
  {program, norm, run, prepare}: Described,
  {programSchedule, epochs}: Pick<Plan, 'programSchedule' | 'epochs'>,
): Promise<ProgramRow> {
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  const prepared = VARIANTS.map(
    (variant) => [variant, prepareVariant(variant, prepare)] as const,
  );
  const programs = prepared.map(([variant, own]) => [variant, own.run]);
  const measured = await interleave(
    Object.fromEntries(programs) as Record<Variant, Program>,
    run === 'epoch'
      ? {budget: Infinity, runs: epochs, warmUp: 1}
      : programSchedule,
  );
  for (const [, {held}] of prepared) held.forEach((one) => one.dispose());
  disposeVariablesExcept(before);
  const cells = measured as Record<Variant, Cell>;
  return {backend, program, norm, run, cells, normalizationShare: share(cells)};
}

/** Patched layers are stock layers, built and run while tf.js is patched. */
function prepareVariant(
  variant: Variant,
  prepare: Described['prepare'],
): Prepared {
  if (variant !== 'patched') return prepare(variant);
  const unpatch = patchStockLayers();
  const {run, held} = prepare(variant);
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
