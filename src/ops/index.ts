export {batchNorm, type BatchNormOptions} from './batch_norm.js';
export {layerNorm, type LayerNormOptions} from './layer_norm.js';
