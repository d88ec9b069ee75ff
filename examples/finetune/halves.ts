import type {Data} from '../digits/dataset.js';
import {CLASSES, type Images, pick} from '../digits/images.js';

/** The network is first trained on the digits below this one. */
const BORDER = CLASSES / 2;

/** The data of each half of the classes. */
export interface Halves {
  /** Of the digits 0 to 4. */
  readonly old: Data;
  /** Of the digits 5 to 9. */
  readonly young: Data;
}

/** @param few The number of training images of the digits 5 to 9. */
export function halvesOf({training, validation}: Data, few: number): Halves {
  const isOld = (label: number): boolean => label < BORDER;
  const isYoung = (label: number): boolean => label >= BORDER;
  return {
    old: {
      training: withLabels(training, isOld),
      validation: withLabels(validation, isOld),
    },
    young: {
      training: withLabels(training, isYoung, few),
      validation: withLabels(validation, isYoung),
    },
  };
}

function withLabels(
  images: Images,
  isWanted: (label: number) => boolean,
  most = Infinity,
): Images {
  const positions = Array.from(images.labels.keys()).filter((i) =>
    isWanted(images.labels[i] ?? NaN),
  );
  return pick(images, Int32Array.from(positions.slice(0, most)));
}
