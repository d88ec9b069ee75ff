import type {MovingInputs} from '../contract.js';
import {vector, type Workspace} from './workspace.js';

/** MovingStatistics, by the WebAssembly kernels. */
export function moveIn<Data>(
  workspace: Workspace<Data>,
  inputs: MovingInputs<Data>,
  [nextMean, nextVariance]: [Data, Data],
  length: number,
): void {
  const whole = vector(length);
  const input = (name: keyof MovingInputs<Data>, tile = whole): number =>
    workspace.input(name, inputs[name], tile);
  workspace.module.moveStatistics(
    input('movingMean'),
    input('movingVariance'),
    input('mean'),
    input('variance'),
    input('rate', vector(1)),
    workspace.output('nextMean', nextMean, whole),
    workspace.output('nextVariance', nextVariance, whole),
    length,
  );
  workspace.commit();
}
