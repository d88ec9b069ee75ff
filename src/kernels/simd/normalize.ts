import type {NormalizeAttributes, Normalized, Parameters} from '../contract.js';
import {Columns} from './columns.js';
import {
  canWalk,
  chunksOf,
  type Geometry,
  geometryOf,
  stripsOf,
  tilesOf,
} from '../geometry.js';
import {inputOrNone, vector, type Workspace} from './workspace.js';

/**
 * The tensors of Normalize and of ApplyStatistics. Mean and variance are written by the
 * first and read by the second.
 */
export interface NormalizeData<Data>
  extends Parameters<Data>, Normalized<Data> {
  readonly x: Data;
}

interface Options extends NormalizeAttributes {
  /** If true, the statistics are known (ApplyStatistics); if not, computed (Normalize). */
  readonly given: boolean;
}

/**
 * Normalize and ApplyStatistics, by the WebAssembly kernels.
 *
 * @return False if it is not for them; then nothing is done.
 */
export function normalizeIn<Data>(
  workspace: Workspace<Data>,
  data: NormalizeData<Data>,
  options: Options,
): boolean {
  const geometry = geometryOf(options.view, options.scale || options.center);
  const {capacity} = workspace;
  if (!canWalk(geometry, options.given, capacity)) return false;
  if (geometry.walk === 'rows') {
    normalizeRows(workspace, data, options, geometry);
  } else {
    normalizeColumns(workspace, data, options, geometry);
  }
  return true;
}

function normalizeRows<Data>(
  workspace: Workspace<Data>,
  data: NormalizeData<Data>,
  {epsilon, subtractMean}: Options,
  {batch, group, channel}: Geometry,
): void {
  const {module} = workspace;
  const width = group * channel;
  const gamma = inputOrNone(workspace, 'gamma', data.gamma, vector(width));
  const beta = inputOrNone(workspace, 'beta', data.beta, vector(width));
  for (const {start, count} of chunksOf(batch, workspace.tileValues / width)) {
    const values = vector(count * width, start * width);
    const perStatistic = vector(count * group, start * group);
    module.rowsNormalize(
      workspace.input('x', data.x, values),
      workspace.output('y', data.y, values),
      count,
      group,
      channel,
      epsilon,
      subtractMean ? 1 : 0,
      gamma,
      beta,
      workspace.output('mean', data.mean, perStatistic),
      workspace.output('variance', data.variance, perStatistic),
    );
    workspace.commit();
  }
}

function normalizeColumns<Data>(
  workspace: Workspace<Data>,
  data: NormalizeData<Data>,
  options: Options,
  geometry: Geometry,
): void {
  const {module} = workspace;
  const {epsilon, given} = options;
  const {batch, group, channel} = geometry;
  const subtractMean = options.subtractMean ? 1 : 0;
  const access = given ? 'input' : 'output';
  const strips = stripsOf(geometry, workspace.capacity);
  const widest = strips[0]?.width ?? 0;
  const kinds = {sums: 2, constants: 3};
  const columns = new Columns(workspace, geometry, widest, kinds);
  const {sums, constants} = columns;
  for (const strip of strips) {
    const {groups} = strip;
    const own = vector(strip.width, strip.firstColumn);
    const gamma = inputOrNone(workspace, 'gamma', data.gamma, own);
    const beta = inputOrNone(workspace, 'beta', data.beta, own);
    columns.use(strip.width);
    for (let b = 0; b < batch; b++) {
      const tiles = tilesOf(geometry, b, strip, workspace.tileValues);
      const perStatistic = vector(groups, b * group + strip.firstGroup);
      const mean = workspace[access]('mean', data.mean, perStatistic);
      const variance = workspace[access](
        'variance',
        data.variance,
        perStatistic,
      );
      if (given) {
        // prettier-ignore
        module.columnConstantsGiven(mean, variance, groups, channel, epsilon, subtractMean, gamma, beta, constants);
      } else {
        let count = 0;
        columns.beginMoments();
        for (const tile of tiles) {
          const x = workspace.input('x', data.x, tile);
          columns.addMoments(x, tile, subtractMean, count);
          count += columns.countOf(tile);
        }
        // prettier-ignore
        module.columnConstants(sums, count, groups, channel, epsilon, subtractMean, gamma, beta, mean, variance, constants);
      }
      // The last one is still there.
      for (const tile of tiles.reverse()) {
        const x = workspace.input('x', data.x, tile);
        columns.apply(x, workspace.output('y', data.y, tile), tile);
        workspace.commit();
      }
    }
  }
}
