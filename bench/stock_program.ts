/** Times stock tf.js on request; requests and answers are lines of JSON. */
import {createInterface} from 'node:readline';
import * as tf from '@tensorflow/tfjs';
import {startBackend} from '../tools/backend.js';
import {oneLine, reasonOf} from '../tools/errors.js';
import {STOCK} from '../examples/digits/network.js';
import {BACKENDS} from '../tools/backend_names.js';
import type {LayerCase} from './results.js';
import type {Request, StockStep} from './stock.js';
import {
  disposeVariablesExcept,
  randomInputs,
  type Step,
  stockStep,
} from './stock_steps.js';
import type {Program} from './timing.js';
import {
  FOLDED,
  factoryIn,
  predicting,
  type Prepared,
  PROGRAMS,
} from './whole_programs.js';

/** The computations ready to run, and the tensors they hold besides variables. */
interface Computations {
  readonly programs: Partial<Readonly<Record<StockStep, Program>>>;
  readonly held: Prepared['held'];
}

let ready: Computations = {programs: {}, held: []};

async function main(name: string | undefined): Promise<void> {
  await startBackend(BACKENDS.find((backend) => backend === name));
  say({version: tf.version.tfjs});
  for await (const line of createInterface({input: process.stdin})) {
    say(await answer(JSON.parse(line) as Request));
  }
}

async function answer({
  prepare,
  program,
  network,
  run,
}: Request): Promise<object> {
  try {
    if (run) return {milliseconds: await time(run)};
    ready.held.forEach((one) => {
      one.dispose();
    });
    disposeVariablesExcept(new Set());
    ready = {programs: {}, held: []};
    if (prepare) ready = layerOf(prepare);
    if (program) ready = programOf(program);
    if (network !== undefined) ready = networkOf(network);
    return {ready: true};
  } catch (error) {
    return {error: oneLine(reasonOf(error))};
  }
}

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

function programOf({
  name,
  norm,
}: NonNullable<Request['program']>): Computations {
  const described = PROGRAMS.find(
    (each) => each.program === name && each.norm === norm,
  );
  if (described === undefined) throw new Error(`there is no program ${name}`);
  const none = described.prepare(undefined);
  const stock = described.prepare(factoryIn(STOCK, norm));
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

/** Runs once; a program may measure its own time. */
async function time(name: StockStep): Promise<number> {
  const {[name]: run} = ready.programs;
  if (run === undefined) throw new Error(`${name} has not been prepared`);
  const begin = performance.now();
  const own = await run();
  return own ?? performance.now() - begin;
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

void main(process.argv[2]);
