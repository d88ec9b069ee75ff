import {InputError} from '../../tools/errors.js';

/** Digits, or anything else of ten classes. */
export const CLASSES = 10;

/** Images of one size, with their labels. */
export interface Images {
  /** Pixels from 0 to 1, image after image. */
  readonly pixels: Float32Array;
  /** The class of each image, from 0 to 9. */
  readonly labels: Uint8Array;
  /** The number of pixels of an image. */
  readonly size: number;
}

/** Returns the images at these positions, in their order. */
export function pick(images: Images, positions: Int32Array): Images {
  const {pixels, labels, size} = images;
  const picked = new Float32Array(positions.length * size);
  positions.forEach((from, to) => {
    picked.set(pixels.subarray(from * size, (from + 1) * size), to * size);
  });
  const pickedLabels = Uint8Array.from(positions, (from) => labels[from] ?? 0);
  return {pixels: picked, labels: pickedLabels, size};
}

/**
 * @param where The file and the place in it, for the message.
 * @throws InputError if the label is not a class.
 */
export function checkLabel(label: number, where: string): void {
  if (Number.isInteger(label) && label >= 0 && label < CLASSES) return;
  throw new InputError(
    `${where}: the label is ${label}, not an integer from 0 to ${CLASSES - 1}`,
  );
}
