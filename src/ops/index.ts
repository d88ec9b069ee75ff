export {batchNorm, type BatchNormOptions} from './batch_norm.js';
export {
  groupNorm,
  type GroupNormOptions,
  instanceNorm,
  type InstanceNormOptions,
} from './group_norm.js';
export {layerNorm, type LayerNormOptions} from './layer_norm.js';
export {rmsNorm, type RmsNormOptions} from './rms_norm.js';
