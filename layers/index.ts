export {batchNorm} from './batch_norm.js';
export {batchNormDense} from '../src/batch_norm_dense.js';
export {groupNorm} from './group_norm.js';
export {instanceNorm} from './instance_norm.js';
export {layerNorm} from './layer_norm.js';
export {rmsNorm} from './rms_norm.js';
export {spectralNorm} from './spectral_norm.js';
export {unitNorm} from './unit_norm.js';
