/**
 * Normalization layers for TensorFlow.js. Importing this registers them, so that
 * models with them load.
 */
import * as layers from '../layers/index.js';
import * as ops from './ops/index.js';

// Not `export * as`, which Metro's Babel does not know.
export {layers, ops};
export {
  BatchNorm,
  batchNorm,
  type BatchNormArgs,
} from '../layers/batch_norm.js';
export type {StatisticsMode} from '../layers/batch_norm_call.js';
export {
  batchNormDense,
  type BatchNormDenseArgs,
} from '../layers/batch_norm_dense.js';
export {
  LayerNorm,
  layerNorm,
  type LayerNormArgs,
} from '../layers/layer_norm.js';
export type {MovingAverageKind} from '../layers/moving_average.js';
export {register, type RegisterOptions} from '../layers/registration.js';
export {convertModel, type ConvertOptions} from './models/convert_model.js';
export type {BatchSource, ModelData, Tensors} from './models/data_batches.js';
export type {DataProgress} from './models/data_progress.js';
export {
  foldBatchNorm,
  type FoldOptions,
  type FoldReport,
} from './models/fold_batch_norm.js';
export {
  freezeBatchNorm,
  type FreezeOptions,
  unfreezeBatchNorm,
} from './models/freeze_batch_norm.js';
export {formatInspection} from './models/format_inspection.js';
export {fromKeras} from './models/from_keras.js';
export {inspect, type InspectOptions} from './models/inspect.js';
export type {
  Comparison,
  Inspection,
  InspectionRow,
  Prediction,
  Range,
  Scores,
} from './models/inspection.js';
export {patchStockLayers} from './models/patch_stock_layers.js';
export {recalibrate, type RecalibrateOptions} from './models/recalibrate.js';
export {setStatistics} from './models/set_statistics.js';
export {toStock, type ToStockOptions} from './models/to_stock.js';
