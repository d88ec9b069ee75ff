import * as tf from '@tensorflow/tfjs';
import {batchNorm, foldBatchNorm} from 'tfjs-normalization';
import {STOCK} from '../examples/digits/network.js';
import type {BackendName} from '../tools/backend_names.js';
import type {Plan} from './plan.js';
import {FOLDINGS, type Folding, type FoldingRow} from './results.js';
import type {Stock} from './stock.js';
import {disposeVariablesExcept} from './stock_steps.js';
import {interleave, type Program} from './timing.js';
import {type Network, predicting, type Prepared} from './whole_programs.js';

/**
 * Measures predictions with batch normalization and with it folded, in turn.
 *
 * @param stock The process for stock tf.js. Without it, stock runs in this one.
 */
export async function measureFolding(
  backend: BackendName,
  network: Network,
  {schedule}: Pick<Plan, 'schedule'>,
  stock?: Stock,
): Promise<FoldingRow> {
  const {model, create} = network;
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  const ours = create(() => batchNorm());
  const models: Partial<Record<Folding, tf.LayersModel>> = {
    ...(!stock && STOCK.batch && {stock: create(STOCK.batch)}),
    before: ours,
    after: foldBatchNorm(ours),
  };
  await stock?.prepareNetwork(model);
  const prepared = Object.entries(models).map(
    ([name, each]): [string, Prepared] => [name, predicting(each, network)],
  );
  const own = Object.fromEntries(prepared.map(([name, {run}]) => [name, run]));
  const programs = FOLDINGS.map((name): [Folding, Program | undefined] => [
    name,
    own[name] ?? (stock && (() => stock.run('stock'))),
  ]);
  const cells = await interleave(
    Object.fromEntries(programs) as Record<Folding, Program>,
    schedule,
  );
  for (const [, {held}] of prepared) held.forEach((one) => one.dispose());
  disposeVariablesExcept(before);
  return {backend, model, cells: cells as FoldingRow['cells']};
}
