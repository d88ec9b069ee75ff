import type {
  Cell,
  LayerRow,
  ProgramRow,
  Results,
  Timing,
} from '../../bench/results.js';

/** A timing with quartiles a tenth away from the median. */
export function timing(median: number): Timing {
  const [q1, q3] = [0.9 * median, 1.1 * median];
  return {median, q1, q3, runs: 10, total: 10 * median};
}

const MISSING: Cell = {unavailable: 'over 40 s: about 5000 s a run'};

/** A training step in which fused kernels took a millisecond. */
export function layerRow(changes: Partial<LayerRow> = {}): LayerRow {
  return {
    backend: 'wasm',
    norm: 'batch norm',
    shape: [128, 1024],
    axis: 1,
    mode: 'forward and backward',
    cells: {
      stock: timing(1234.5),
      composed: timing(8),
      fused: timing(1),
      add: timing(0.25),
      torch: timing(0.5),
    },
    ...changes,
  };
}

/** The same row without stock. */
export function rowWithoutStock(): LayerRow {
  const {cells} = layerRow();
  return layerRow({norm: 'layer norm', cells: {...cells, stock: MISSING}});
}

/** A program in which normalization took a fifth. */
export function programRow(changes: Partial<ProgramRow> = {}): ProgramRow {
  return {
    backend: 'wasm',
    program: 'MLP',
    norm: 'batch norm',
    run: 'training step',
    cells: {
      none: timing(4),
      stock: timing(10),
      patched: timing(5),
      ours: timing(5),
    },
    normalizationShare: 0.2,
    ...changes,
  };
}

/** Results with all of these rows. */
export function resultsOf(changes: Partial<Results>): Results {
  return {
    date: '2026-01-01T00:00:00.000Z',
    quick: false,
    native: false,
    seconds: 1,
    machine: {cpu: 'one', cores: 1, memoryGB: 1, platform: 'linux x64'},
    versions: {
      package: '1',
      node: '20',
      tfjs: '4',
      libtensorflow: null,
      torch: null,
    },
    skipped: [],
    layers: [],
    programs: [],
    folding: [],
    ...changes,
  };
}
