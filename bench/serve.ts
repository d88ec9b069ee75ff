import {createInterface} from 'node:readline';
import * as tf from '@tensorflow/tfjs';
import {startBackend} from '../tools/backend.js';
import {BACKENDS} from '../tools/backend_names.js';
import {oneLine, reasonOf} from '../tools/errors.js';
import type {LayerCase} from './results.js';
import {disposeVariablesExcept} from './stock_steps.js';
import type {Program} from './timing.js';
import type {NamedProgram, Prepared} from './whole_programs.js';

/*
 * A process that times computations on request; requests and answers are lines of JSON.
 * Nothing here imports the package: see whole_programs.ts.
 */

/** The computations that are timed on request. */
export type TimedStep = 'stock' | 'add' | 'none' | 'ours';

/** A request to the process: one of these each time. */
export interface Request {
  readonly prepare?: LayerCase;
  readonly program?: NamedProgram;
  /** The name of a network that predicts. */
  readonly network?: string;
  readonly run?: TimedStep;
}

/** The computations ready to run, and the tensors they hold besides variables. */
export interface Computations {
  readonly programs: Partial<Readonly<Record<TimedStep, Program>>>;
  readonly held: Prepared['held'];
}

const NOTHING: Computations = {programs: {}, held: []};

/**
 * Serves requests until the input ends.
 *
 * @param prepare Makes what a request asks for. What was made before is disposed of.
 */
export async function serve(
  backend: string | undefined,
  prepare: (request: Request) => Computations,
): Promise<void> {
  await startBackend(BACKENDS.find((name) => name === backend));
  say({version: tf.version.tfjs});
  let ready = NOTHING;
  const answer = async (request: Request): Promise<object> => {
    try {
      if (request.run) {
        return {milliseconds: await time(request.run, ready)};
      }
      ready.held.forEach((one) => {
        one.dispose();
      });
      disposeVariablesExcept(new Set());
      ready = NOTHING;
      ready = prepare(request);
      return {ready: true};
    } catch (error) {
      return {error: oneLine(reasonOf(error))};
    }
  };
  for await (const line of createInterface({input: process.stdin})) {
    say(await answer(JSON.parse(line) as Request));
  }
}

/** Runs once; a program may measure its own time. */
async function time(
  name: TimedStep,
  {programs}: Computations,
): Promise<number> {
  const {[name]: run} = programs;
  if (run === undefined) throw new Error(`${name} has not been prepared`);
  const begin = performance.now();
  const own = await run();
  return own ?? performance.now() - begin;
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
