import {type BackendName, BACKENDS} from '../tools/backend_names.js';

/** The backends of a browser's GPU, which the page measures. */
export const GPU_BACKENDS = ['webgl', 'webgpu'] as const;

export type GpuBackend = (typeof GPU_BACKENDS)[number];

/** All backends that the benchmark measures. */
export type BenchBackend = BackendName | GpuBackend;

/** Tells if a browser runs the backend. */
export function isGpu(backend: BenchBackend): backend is GpuBackend {
  return GPU_BACKENDS.some((name) => name === backend);
}

/** Tells if these are the backends that are measured by default: all of Node's. */
export function isDefault(backends: readonly BenchBackend[]): boolean {
  return backends.length === BACKENDS.length && !backends.some(isGpu);
}

/** A device that a backend of a GPU found. */
export interface Device {
  readonly backend: GpuBackend;
  readonly adapter: string;
  readonly isSoftware: boolean;
}

/** The order in which backends are shown, and measured in Node. */
export const ORDER: readonly BenchBackend[] = [
  'cpu',
  'wasm',
  'tensorflow',
  ...GPU_BACKENDS,
];

/** A timing in milliseconds: half of the runs lie between q1 and q3. */
export interface Timing {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  /** The number of runs that count. */
  readonly runs: number;
  /** Their total time. */
  readonly total: number;
}

/** A missing figure, with the reason. */
export interface Unavailable {
  readonly unavailable: string;
}

export type Cell = Timing | Unavailable;

/** The normalization, as the table names it. */
export type Norm = StockNorm | 'group norm' | 'instance norm' | 'rms norm';

/** The normalizations that stock tf.js has, too. */
export type StockNorm = 'batch norm' | 'layer norm';

export const NORMS: readonly Norm[] = [
  'batch norm',
  'layer norm',
  'group norm',
  'instance norm',
  'rms norm',
];

export function isStockNorm(norm: Norm): norm is StockNorm {
  return norm === 'batch norm' || norm === 'layer norm';
}

/** The measured pass of a layer, as the table names it. */
export type Mode = 'inference' | 'forward and backward';

export const MODES: readonly Mode[] = ['inference', 'forward and backward'];

/** Implementations of the same computation. */
export const CONTENDERS = [
  'stock',
  'composed',
  'fused',
  'add',
  'torch',
] as const;

export type Contender = (typeof CONTENDERS)[number];

/** One computation: a normalization of an input. */
export interface LayerCase {
  readonly norm: Norm;
  readonly shape: readonly number[];
  /** The feature axis: the last one or 1. */
  readonly axis: number;
  readonly mode: Mode;
}

/** The timings of one computation. */
export interface LayerRow extends LayerCase {
  readonly backend: BenchBackend;
  readonly cells: Readonly<Record<Contender, Cell>>;
}

/** The normalization in a program. */
export const VARIANTS = ['none', 'stock', 'patched', 'ours'] as const;

export type Variant = (typeof VARIANTS)[number];

/** The timings of a whole program. */
export interface ProgramRow {
  readonly backend: BackendName;
  readonly program: string;
  readonly norm: StockNorm;
  /** The unit of one run. */
  readonly run: 'epoch' | 'training step';
  readonly cells: Readonly<Record<Variant, Cell>>;
  /** Where the native kernels are measured: ours by those that compute without them. */
  readonly otherKernels?: Cell;
  /**
   * The share of a run with ours that normalization takes: (ours − none) /
   * ours.
   */
  readonly normalizationShare: number | null;
}

/**
 * The predicting models: stock layers, this package's, and the same model
 * folded.
 */
export const FOLDINGS = ['stock', 'before', 'after'] as const;

export type Folding = (typeof FOLDINGS)[number];

/** The timings of a prediction before and after folding batch normalization. */
export interface FoldingRow {
  readonly backend: BackendName;
  readonly model: string;
  readonly cells: Readonly<Record<Folding, Cell>>;
}

/** The digits network without normalization, and with each kind of batch normalization. */
export const NETWORKS = ['plain', 'fused', 'composed', 'stock'] as const;

export type Network = (typeof NETWORKS)[number];

/** Times of the digits network's epochs. */
export interface DigitsRow {
  readonly backend: GpuBackend;
  /** Milliseconds of an epoch. */
  readonly cells: Readonly<Record<Network, Cell>>;
  /** The longest time in milliseconds that the page did not paint meanwhile. */
  readonly longestPause: number;
}

/** The machine that ran the benchmark. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly platform: string;
}

/** The measured versions; null for a missing one. */
export interface Versions {
  readonly package: string;
  readonly node: string;
  readonly tfjs: string;
  readonly libtensorflow: string | null;
  readonly torch: string | null;
}

/** The contents of bench/results.json. */
export interface Results {
  readonly date: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: Machine;
  readonly versions: Versions;
  /** If true, the kernels on tensorflow are those of tfjs-normalization-native. */
  readonly native: boolean;
  /** Omitted measurements, with the reasons. */
  readonly skipped: readonly string[];
  /** The devices of GPU backends, where some were measured. */
  readonly devices?: readonly Device[];
  readonly layers: readonly LayerRow[];
  readonly programs: readonly ProgramRow[];
  readonly folding: readonly FoldingRow[];
}

export function isTiming(cell: Cell): cell is Timing {
  return 'median' in cell;
}

/** Returns the ratio of two times, or null if one is missing. */
export function ratioOf(slow: Cell, quick: Cell): number | null {
  if (!isTiming(slow) || !isTiming(quick)) return null;
  return slow.median / quick.median;
}
