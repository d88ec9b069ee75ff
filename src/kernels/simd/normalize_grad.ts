import type {
  GradInputs,
  Gradients,
  NormalizeGradAttributes,
} from '../contract.js';
import {Columns} from './columns.js';
import {
  canWalk,
  chunksOf,
  type Geometry,
  geometryOf,
  stripsOf,
  tilesOf,
} from '../geometry.js';
import type {Address} from './module.js';
import {inputOrNone, vector, type Workspace} from './workspace.js';

/** The tensors of NormalizeGrad, inputs and outputs. */
export type GradData<Data> = GradInputs<Data> & Gradients<Data>;

const F32 = 4;
const F64 = 8;

/** Rows whose parameters' gradients may be added up in float32 alone. */
const FEW_ROWS = 64;

/**
 * NormalizeGrad, by the WebAssembly kernels.
 *
 * @return False if it is not for them; then nothing is done.
 */
export function normalizeGradIn<Data>(
  workspace: Workspace<Data>,
  data: GradData<Data>,
  attributes: NormalizeGradAttributes,
): boolean {
  const {view, scale, center, given} = attributes;
  const geometry = geometryOf(view, scale || center);
  if (!canWalk(geometry, given, workspace.capacity)) return false;
  if (geometry.walk === 'rows') {
    rowsGrad(workspace, data, attributes, geometry);
  } else {
    columnsGrad(workspace, data, attributes, geometry);
  }
  return true;
}

function rowsGrad<Data>(
  workspace: Workspace<Data>,
  data: GradData<Data>,
  {epsilon, subtractMean}: NormalizeGradAttributes,
  {batch, group, channel}: Geometry,
): void {
  const {module} = workspace;
  const width = group * channel;
  const whole = vector(width);
  const gamma = inputOrNone(workspace, 'gamma', data.gamma, whole);
  const dgamma = sumsFor(workspace, 'dgamma', data.dgamma, width);
  // The kernel adds up both where it has a gamma.
  const dbeta =
    data.dbeta === undefined && dgamma !== 0
      ? zeros(workspace, F32 * width)
      : sumsFor(workspace, 'dbeta', data.dbeta, width);
  const totals =
    batch > FEW_ROWS && (dgamma !== 0 || dbeta !== 0)
      ? zeros(workspace, 2 * F64 * width)
      : 0;
  for (const {start, count} of chunksOf(batch, workspace.tileValues / width)) {
    const values = vector(count * width, start * width);
    const perStatistic = vector(count * group, start * group);
    module.rowsGrad(
      workspace.input('dy', data.dy, values),
      workspace.input('x', data.x, values),
      workspace.output('dx', data.dx, values),
      count,
      group,
      channel,
      epsilon,
      subtractMean ? 1 : 0,
      workspace.input('mean', data.mean, perStatistic),
      workspace.input('variance', data.variance, perStatistic),
      gamma,
      inputOrNone(workspace, 'dmean', data.dmean, perStatistic),
      inputOrNone(workspace, 'dvariance', data.dvariance, perStatistic),
      dgamma,
      dbeta,
      totals,
    );
    workspace.commit();
  }
  for (const [name, sums, from] of [
    ['dgamma', data.dgamma, totals],
    ['dbeta', data.dbeta, totals + F64 * width],
  ] as const) {
    if (sums === undefined) continue;
    const address = workspace.output(name, sums, whole);
    if (totals !== 0) module.demote(from, address, width);
  }
  workspace.commit();
}

function columnsGrad<Data>(
  workspace: Workspace<Data>,
  data: GradData<Data>,
  attributes: NormalizeGradAttributes,
  geometry: Geometry,
): void {
  const {module} = workspace;
  const {epsilon, scale, center} = attributes;
  const {batch, group, channel} = geometry;
  const subtractMean = attributes.subtractMean ? 1 : 0;
  const given = attributes.given ? 1 : 0;
  const needsSums = given === 0 || scale || center;
  const strips = stripsOf(geometry, workspace.capacity);
  const widest = strips[0]?.width ?? 0;
  const kinds = {sums: 3, constants: 4};
  const columns = new Columns(workspace, geometry, widest, kinds);
  const {sums, constants} = columns;
  const parameters = workspace.scratch(2 * module.sumBytes(widest));
  for (const strip of strips) {
    const {groups, width} = strip;
    const own = vector(width, strip.firstColumn);
    const gamma = inputOrNone(workspace, 'gamma', data.gamma, own);
    columns.use(width);
    const size64 = module.sumBytes(width);
    module.zero(parameters, 2 * size64);
    for (let b = 0; b < batch; b++) {
      const tiles = tilesOf(geometry, b, strip, workspace.tileValues);
      const perStatistic = vector(groups, b * group + strip.firstGroup);
      const input = (
        name: 'mean' | 'variance' | 'dmean' | 'dvariance',
      ): Address => inputOrNone(workspace, name, data[name], perStatistic);
      // prettier-ignore
      module.columnGradBegin(input('mean'), groups, channel, subtractMean, sums, constants);
      let count = 0;
      for (const tile of tiles) {
        count += columns.countOf(tile);
        if (!needsSums) continue;
        const dy = workspace.input('dy', data.dy, tile);
        columns.addFlow(dy, workspace.input('x', data.x, tile), tile);
      }
      // prettier-ignore
      module.columnGradConstants(
        sums, count, groups, channel, epsilon, subtractMean, given,
        input('variance'), gamma, input('dmean'), input('dvariance'),
        parameters, constants,
      );
      // The last one is still there.
      for (const tile of tiles.reverse()) {
        const dy = workspace.input('dy', data.dy, tile);
        const dx = workspace.output('dx', data.dx, tile);
        if (given) {
          columns.apply(dy, dx, tile);
        } else {
          const x = workspace.input('x', data.x, tile);
          columns.applyGrad(dy, x, dx, tile);
        }
        workspace.commit();
      }
    }
    for (const [name, home, from] of [
      ['dgamma', data.dgamma, parameters],
      ['dbeta', data.dbeta, parameters + size64],
    ] as const) {
      if (home === undefined) continue;
      module.demote(from, workspace.output(name, home, own), width);
    }
    workspace.commit();
  }
}

/** Zeros to add gradients to, where they are wanted. */
function sumsFor<Data>(
  workspace: Workspace<Data>,
  name: string,
  home: Data | undefined,
  length: number,
): Address {
  if (home === undefined) return 0;
  const address = workspace.output(name, home, vector(length));
  workspace.module.zero(address, F32 * length);
  return address;
}

function zeros(workspace: Workspace<unknown>, bytes: number): Address {
  const address = workspace.scratch(bytes);
  workspace.module.zero(address, bytes);
  return address;
}
