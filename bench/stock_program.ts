/** Times stock tf.js on request; requests and answers are lines of JSON. */
import {createInterface} from 'node:readline';
import * as tf from '@tensorflow/tfjs';
import {startBackend} from '../examples/digits/backend.js';
import {oneLine, reasonOf} from '../examples/digits/errors.js';
import {BACKENDS} from '../examples/digits/options.js';
import type {LayerCase} from './results.js';
import type {StockStep} from './stock.js';
import {
  disposeVariablesExcept,
  type Inputs,
  randomInputs,
  type Step,
  stockStep,
} from './stock_steps.js';

/** A request: one of these each time. */
interface Request {
  readonly prepare?: LayerCase;
  readonly run?: StockStep;
}

/** The computations ready to run. */
interface Prepared {
  readonly inputs: Inputs;
  readonly mode: LayerCase['mode'];
  readonly steps: Readonly<Record<StockStep, Step>>;
}

let prepared: Prepared | undefined;

async function main(name: string | undefined): Promise<void> {
  await startBackend(BACKENDS.find((backend) => backend === name));
  say({version: tf.version.tfjs});
  for await (const line of createInterface({input: process.stdin})) {
    say(await answer(JSON.parse(line) as Request));
  }
}

async function answer({prepare, run}: Request): Promise<object> {
  try {
    if (prepare) return prepareFor(prepare);
    return {milliseconds: await time(run ?? 'stock')};
  } catch (error) {
    return {error: oneLine(reasonOf(error))};
  }
}

function prepareFor(layerCase: LayerCase): object {
  tf.dispose(Object.values(prepared?.inputs ?? {}) as tf.Tensor[]);
  disposeVariablesExcept(new Set());
  const inputs = randomInputs(layerCase);
  const stock = stockStep(layerCase, inputs);
  const add = (): tf.Tensor[] => [tf.add(inputs.x, inputs.dy)];
  prepared = {inputs, mode: layerCase.mode, steps: {stock, add}};
  return {ready: true};
}

async function time(name: StockStep): Promise<number> {
  if (prepared === undefined) throw new Error('nothing has been prepared');
  const {steps, mode} = prepared;
  const begin = performance.now();
  const results = steps[name]();
  if (mode !== 'inference') await results[results.length - 1]?.data();
  tf.dispose(results);
  return performance.now() - begin;
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

void main(process.argv[2]);
