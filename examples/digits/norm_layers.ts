import {batchNorm, layerNorm} from 'tfjs-normalization';
import type {NormFactories} from './network.js';

/** The layers of this package. */
export const PACKAGE: NormFactories = {
  batch: (options) => batchNorm(options),
  layer: ({name}) => layerNorm({name}),
};
