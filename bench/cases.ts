import {type LayerCase, MODES, NORMS} from './results.js';

/**
 * Typical inputs of networks: dense, images, text, large images, few of them.
 */
export const SHAPES: ReadonlyArray<readonly number[]> = [
  [128, 1024],
  [32, 28, 28, 64],
  [16, 128, 768],
  [64, 56, 56, 32],
  [4, 7, 7, 2048],
];

/** An input that every normalization takes. */
export const QUICK_SHAPES: ReadonlyArray<readonly number[]> = [[16, 32, 256]];

const IMAGES = 4;
const ROWS = 2;

/** The most groups of channels; Keras's and the paper's number. */
const MOST_GROUPS = 32;

/**
 * Returns all cases for these inputs, for images also with the channels first.
 */
export function casesOf(shapes: ReadonlyArray<readonly number[]>): LayerCase[] {
  return NORMS.flatMap((norm) =>
    shapes
      // Of a row, a statistic for each channel would be of one value.
      .filter(({length}) => norm !== 'instance norm' || length > ROWS)
      .flatMap(layoutsOf)
      .flatMap((layout) => MODES.map((mode) => ({norm, ...layout, mode}))),
  );
}

function layoutsOf(
  shape: readonly number[],
): Array<Pick<LayerCase, 'shape' | 'axis'>> {
  const last = {shape, axis: shape.length - 1};
  if (shape.length !== IMAGES) return [last];
  const [batch = 1, height = 1, width = 1, channels = 1] = shape;
  return [last, {shape: [batch, channels, height, width], axis: 1}];
}

/** Tells if the features are on the last axis. */
export function isLast({shape, axis}: LayerCase): boolean {
  return axis === shape.length - 1;
}

/** Returns the number of features. */
export function featuresOf({shape, axis}: LayerCase): number {
  return shape[axis] ?? 1;
}

/**
 * Returns the number of groups of a group normalization. They divide the features and, so
 * that no statistic is of one value, have two at least.
 */
export function groupsOf(layerCase: LayerCase): number {
  const features = featuresOf(layerCase);
  let groups = Math.max(1, Math.min(Math.floor(features / 2), MOST_GROUPS));
  while (features % groups !== 0) groups--;
  return groups;
}

/** Returns the same case with this many values per feature, on as many axes. */
export function withRows(layerCase: LayerCase, rows: number): LayerCase {
  const {shape, axis} = layerCase;
  const features = featuresOf(layerCase);
  const resized = shape.map((_, i) =>
    i === axis ? features : i === 0 ? rows : 1,
  );
  return {...layerCase, shape: resized};
}

/** Returns the number of values per feature. */
export function rowsOf(layerCase: LayerCase): number {
  const size = layerCase.shape.reduce((a, b) => a * b, 1);
  return size / featuresOf(layerCase);
}

const LARGEST_SIDE = 4;

/** Returns the same case with few values per feature. */
export function shrunk(layerCase: LayerCase): LayerCase {
  const {shape, axis} = layerCase;
  const small = shape.map((size, i) =>
    i === axis ? size : Math.min(size, LARGEST_SIDE),
  );
  return {...layerCase, shape: small};
}

/** Returns the name in the table. */
export function nameOf({norm, shape, axis}: LayerCase): string {
  const where = axis === shape.length - 1 ? '' : `, axis ${axis}`;
  return `${norm} [${shape.join()}]${where}`;
}
