import {readFileSync, statSync} from 'node:fs';
import {parseCsv} from './data_csv.js';
import {readIdxFolder} from './data_idx.js';
import {InputError, reasonOf} from '../../tools/errors.js';
import {type Images, pick} from './images.js';
import {createRandom, deriveSeed, permutation} from './random.js';

/** The share of a CSV file's images used for training. */
const TRAINING_SHARE = 0.8;

/** The training and the validation images. */
export interface Data {
  readonly training: Images;
  readonly validation: Images;
}

/**
 * Reads a CSV file, or a folder of IDX files.
 *
 * @param seed Selects the validation images of a CSV file.
 * @throws InputError naming the problem and its place.
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
      `${path}: only one image; training and validation need one each`,
    );
  }
  return {
    training: pick(images, order.subarray(0, border)),
    validation: pick(images, order.subarray(border)),
  };
}
