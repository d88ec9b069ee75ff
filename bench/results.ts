import {type BackendName, BACKENDS} from '../examples/digits/options.js';

/** The order in which backends are measured and shown. */
export const ORDER: readonly BackendName[] = [...BACKENDS].reverse();

/** What was measured, in milliseconds: half of the runs lie between q1 and q3. */
export interface Timing {
  readonly median: number;
  readonly q1: number;
  readonly q3: number;
  /** How many runs count. */
  readonly runs: number;
  /** What they took together. */
  readonly total: number;
}

/** What there is no figure of, and why. */
export interface Unavailable {
  readonly unavailable: string;
}

export type Cell = Timing | Unavailable;

/** What is normalized, as the table calls it. */
export type Norm = 'batch norm' | 'layer norm';

export const NORMS: readonly Norm[] = ['batch norm', 'layer norm'];

/** What is measured of a layer, as the table calls it. */
export type Mode = 'inference' | 'forward and backward';

export const MODES: readonly Mode[] = ['inference', 'forward and backward'];

/** Who computes the same. */
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

/** How long it takes. */
export interface LayerRow extends LayerCase {
  readonly backend: BackendName;
  readonly cells: Readonly<Record<Contender, Cell>>;
}

/** Whose normalization a program has. */
export const VARIANTS = ['none', 'stock', 'patched', 'ours'] as const;

export type Variant = (typeof VARIANTS)[number];

/** How long a whole program takes. */
export interface ProgramRow {
  readonly backend: BackendName;
  readonly program: string;
  readonly norm: Norm;
  /** What one run is. */
  readonly run: 'epoch' | 'training step';
  readonly cells: Readonly<Record<Variant, Cell>>;
  /** Of a run with ours, what normalization takes: (ours − none) / ours. */
  readonly normalizationShare: number | null;
}

/** What predicts: stock layers, this package's, and the same model folded. */
export const FOLDINGS = ['stock', 'before', 'after'] as const;

export type Folding = (typeof FOLDINGS)[number];

/** How long a prediction takes before and after batch normalization is folded. */
export interface FoldingRow {
  readonly backend: BackendName;
  readonly model: string;
  readonly cells: Readonly<Record<Folding, Cell>>;
}

/** Where it was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly platform: string;
}

/** What was measured; null where there is none. */
export interface Versions {
  readonly package: string;
  readonly node: string;
  readonly tfjs: string;
  readonly libtensorflow: string | null;
  readonly torch: string | null;
}

/** All that bench/results.json says. */
export interface Results {
  readonly date: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: Machine;
  readonly versions: Versions;
  /** What was left out, and why. */
  readonly skipped: readonly string[];
  readonly layers: readonly LayerRow[];
  readonly programs: readonly ProgramRow[];
  readonly folding: readonly FoldingRow[];
}

export function isTiming(cell: Cell): cell is Timing {
  return 'median' in cell;
}

/** How many times as long one takes as another, or null where one is missing. */
export function ratioOf(slow: Cell, quick: Cell): number | null {
  if (!isTiming(slow) || !isTiming(quick)) return null;
  return slow.median / quick.median;
}
