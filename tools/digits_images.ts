import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';

const FILE = join(__dirname, '../../examples/digits/data/digits.csv');
const BRIGHTEST = 16;

/**
 * Reads the handwritten digits that this repository ships.
 *
 * @return `pixels` [1797, 64], from 0 to 1, and `labels` [1797, 10], one-hot.
 */
export function readDigits(): {pixels: tf.Tensor2D; labels: tf.Tensor2D} {
  const lines = readFileSync(FILE, 'utf8').trim().split('\n');
  const rows = lines.map((line) => line.split(',').map(Number));
  const pixels = rows.map((row) => row.slice(0, -1).map((p) => p / BRIGHTEST));
  const labels = rows.map((row) => row[row.length - 1] ?? 0);
  return {
    pixels: tf.tensor2d(pixels),
    labels: tf.oneHot(tf.tensor1d(labels, 'int32'), 10) as tf.Tensor2D,
  };
}

const SIDE = 8;
const SHADES = ' .:-=+*#%@';

/** Prints images side by side, with two characters per pixel. */
export function printImages(images: tf.Tensor2D, count: number): void {
  const rows = images.arraySync().slice(0, count);
  const shade = (value: number): string =>
    (SHADES[Math.min(9, Math.floor(10 * value))] ?? ' ').repeat(2);
  for (let y = 0; y < SIDE; y++) {
    const lines = rows.map((image) =>
      image
        .slice(SIDE * y, SIDE * (y + 1))
        .map(shade)
        .join(''),
    );
    console.log(lines.join('  |  '));
  }
}
