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

export const QUICK_SHAPES: ReadonlyArray<readonly number[]> = [[128, 1024]];

const IMAGES = 4;

/**
 * Returns all cases for these inputs, for images also with the channels first.
 */
export function casesOf(shapes: ReadonlyArray<readonly number[]>): LayerCase[] {
  return NORMS.flatMap((norm) =>
    shapes
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
