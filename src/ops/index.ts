export type {Normalized} from '../kernels/contract.js';
export {batchNorm, type BatchNormOptions} from './batch_norm.js';
export {
  groupNorm,
  type GroupNormOptions,
  instanceNorm,
  type InstanceNormOptions,
} from './group_norm.js';
export {layerNorm, type LayerNormOptions} from './layer_norm.js';
export type {NormOptions} from './norm_options.js';
export {rmsNorm, type RmsNormOptions} from './rms_norm.js';
