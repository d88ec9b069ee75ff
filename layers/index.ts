export {batchNorm} from './batch_norm.js';
export {batchNormDense} from '../src/batch_norm_dense.js';
export {layerNorm} from './layer_norm.js';
