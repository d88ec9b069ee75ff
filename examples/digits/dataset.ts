import {readFileSync, statSync} from 'node:fs';
import {parseCsv} from './data_csv.js';
import {readIdxFolder} from './data_idx.js';
import {InputError, reasonOf} from './errors.js';
import {type Images, pick} from './images.js';
import {createRandom, deriveSeed, permutation} from './random.js';

/** The share of a CSV file's images that the networks learn from. */
const TRAINING_SHARE = 0.8;

/** What the networks learn from, and what they are judged by. */
export interface Data {
  readonly training: Images;
  readonly validation: Images;
}

/**
 * Reads a CSV file, or a folder of IDX files.
 *
 * @param seed Decides which images of a CSV file are for validation.
 * @throws InputError saying what is wrong, and where.
 */
export function readData(path: string, seed: number): Data {
  try {
    if (statSync(path).isDirectory()) return readIdxFolder(path);
    return split(parseCsv(readFileSync(path, 'utf8'), path), path, seed);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: cannot be read: ${reasonOf(error)}`);
  }
}

function split(images: Images, path: string, seed: number): Data {
  const count = images.labels.length;
  const random = createRandom(deriveSeed(seed, 'split'));
  const order = permutation(count, random);
  const border = Math.floor(TRAINING_SHARE * count);
  if (border === 0) {
    throw new InputError(
      `${path}: one image only; training and validation need one each`,
    );
  }
  return {
    training: pick(images, order.subarray(0, border)),
    validation: pick(images, order.subarray(border)),
  };
}
