/** Times stock tf.js on request: see serve.ts. */
import * as tf from '@tensorflow/tfjs';
import {STOCK} from '../examples/digits/network.js';
import type {LayerCase} from './results.js';
import {type Computations, serve} from './serve.js';
import {randomInputs, type Step, stockStep} from './stock_steps.js';
import type {Program} from './timing.js';
import {
  describedAs,
  FOLDED,
  factoryIn,
  type NamedProgram,
  predicting,
} from './whole_programs.js';

function layerOf(layerCase: LayerCase): Computations {
  const inputs = randomInputs(layerCase);
  const {mode} = layerCase;
  const add: Step = () => [tf.add(inputs.x, inputs.dy)];
  return {
    programs: {
      stock: running(stockStep(layerCase, inputs), mode),
      add: running(add, mode),
    },
    held: Object.values(inputs) as tf.Tensor[],
  };
}

function running(step: Step, mode: LayerCase['mode']): Program {
  return async () => {
    const results = step();
    if (mode !== 'inference') await results[results.length - 1]?.data();
    tf.dispose(results);
    return undefined;
  };
}

function programOf(program: NamedProgram): Computations {
  const described = describedAs(program);
  const none = described.prepare(undefined);
  const stock = described.prepare(factoryIn(STOCK, program.norm));
  return {
    programs: {none: none.run, stock: stock.run},
    held: [...none.held, ...stock.held],
  };
}

function networkOf(model: string): Computations {
  const network = FOLDED.find((each) => each.model === model);
  if (network === undefined) throw new Error(`there is no network ${model}`);
  const layers = network.create(factoryIn(STOCK, 'batch norm'));
  const {run, held} = predicting(layers, network);
  return {programs: {stock: run}, held};
}

void serve(process.argv[2], ({prepare, program, network}) => {
  if (prepare) return layerOf(prepare);
  if (program) return programOf(program);
  return networkOf(network ?? '');
});
