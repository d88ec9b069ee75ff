import * as tf from '@tensorflow/tfjs';
import type {NormFactories, NormFactory} from '../examples/digits/network.js';
import {mainJob} from './main_job.js';
import {createMlp, LARGE, mlp, SMALL} from './mlp.js';
import type {StockNorm, ProgramRow} from './results.js';
import type {Program} from './timing.js';
import {transformerBlock} from './transformer_block.js';

/*
 * The whole programs of the benchmark. Nothing here imports the package, since the
 * process in which stock is measured must never load it.
 */

/**
 * A program that is ready to run, with the tensors it holds besides variables.
 */
export interface Prepared {
  readonly run: Program;
  readonly held: ReadonlyArray<{dispose: () => void}>;
}

/** A program, built anew for each normalization. */
export interface Described {
  readonly program: string;
  readonly norm: StockNorm;
  readonly run: ProgramRow['run'];
  /** @param makeNorm Makes its normalizations; without it, there are none. */
  readonly prepare: (makeNorm: NormFactory | undefined) => Prepared;
}

const KEYS = {'batch norm': 'batch', 'layer norm': 'layer'} as const;

/** The factory of a normalization in the digits network's list. */
export function factoryIn(
  factories: NormFactories,
  norm: StockNorm,
): NormFactory {
  const {[KEYS[norm]]: makeNorm} = factories;
  if (makeNorm === undefined) throw new Error(`there is no ${norm}`);
  return makeNorm;
}

/** The whole programs to measure. */
export const PROGRAMS: readonly Described[] = [
  {
    program: 'main job',
    norm: 'batch norm',
    run: 'epoch',
    prepare: (makeNorm) => mainJob('batch', makeNorm),
  },
  {
    program: 'main job',
    norm: 'layer norm',
    run: 'epoch',
    prepare: (makeNorm) => mainJob('layer', makeNorm),
  },
  {
    program: 'MLP',
    norm: 'batch norm',
    run: 'training step',
    prepare: (makeNorm) => mlp(LARGE, makeNorm),
  },
  {
    program: 'small MLP',
    norm: 'batch norm',
    run: 'training step',
    prepare: (makeNorm) => mlp(SMALL, makeNorm),
  },
  {
    program: 'transformer block',
    norm: 'layer norm',
    run: 'training step',
    prepare: (makeNorm) => transformerBlock(makeNorm),
  },
];

/** A whole program, by its name. */
export interface NamedProgram {
  readonly name: string;
  readonly norm: StockNorm;
}

/** @throws Error if there is no such program. */
export function describedAs({name, norm}: NamedProgram): Described {
  const described = PROGRAMS.find(
    (each) => each.program === name && each.norm === norm,
  );
  if (described === undefined) throw new Error(`there is no program ${name}`);
  return described;
}

/** A network whose batch normalizations fold, and its input. */
export interface Network {
  readonly model: string;
  readonly input: readonly number[];
  readonly create: (makeNorm: NormFactory) => tf.Sequential;
}

const FILTERS = [16, 32, 64, 64];
const CLASSES = 10;

/** The networks to measure before and after folding. */
export const FOLDED: readonly Network[] = [
  {
    model: 'four convolutions, 8 images of 32 × 32',
    input: [8, 32, 32, 3],
    create: convolutions,
  },
  {
    model: `MLP, a batch of ${LARGE.batch}`,
    input: [LARGE.batch, LARGE.inputs],
    create: (makeNorm) => createMlp(LARGE, makeNorm),
  },
];

/** Prepares a prediction of a network. */
export function predicting(
  model: tf.LayersModel,
  {input}: Pick<Network, 'input'>,
): Prepared {
  const x = tf.randomNormal([...input]);
  const run = async (): Promise<undefined> => {
    const y = model.predict(x) as tf.Tensor;
    await y.data();
    y.dispose();
    return undefined;
  };
  return {run, held: [x]};
}

function convolutions(makeNorm: NormFactory): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.inputLayer({inputShape: [32, 32, 3]}));
  for (const filters of FILTERS) {
    model.add(
      tf.layers.conv2d({filters, kernelSize: 3, strides: 2, useBias: false}),
    );
    model.add(makeNorm({}));
    model.add(tf.layers.reLU());
  }
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({units: CLASSES, activation: 'softmax'}));
  return model;
}
