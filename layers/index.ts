export {batchNorm} from './batch_norm.js';
export {batchNormDense} from './batch_norm_dense.js';
export {layerNorm} from './layer_norm.js';
