/**
 * Normalization layers for TensorFlow.js. Importing this registers them, so that
 * models with them load.
 *
 * @module
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
export type {StatisticsMode} from './layer_support/batch_norm_call.js';
export type {Numbers} from './layer_support/given_statistics.js';
export type {CallOptions} from './layer_support/norm_layer.js';
export type {
  Constraint,
  Initializer,
  ObjectOption,
  Regularizer,
  SerializedObject,
} from './layer_support/objects.js';
export type {Axes} from './ops/axes.js';
export type {RenormClipping} from './ops/renorm.js';
export {batchNormDense, type BatchNormDenseArgs} from './batch_norm_dense.js';
export {
  GroupNorm,
  groupNorm,
  type GroupNormArgs,
} from '../layers/group_norm.js';
export {
  InstanceNorm,
  instanceNorm,
  type InstanceNormArgs,
} from '../layers/instance_norm.js';
export {
  LayerNorm,
  layerNorm,
  type LayerNormArgs,
} from '../layers/layer_norm.js';
export {
  type AdaptOptions,
  Normalization,
  normalization,
  type NormalizationArgs,
} from '../layers/normalization.js';
export {RMSNorm, rmsNorm, type RMSNormArgs} from '../layers/rms_norm.js';
export {
  SpectralNorm,
  spectralNorm,
  type SpectralNormArgs,
} from '../layers/spectral_norm.js';
export {UnitNorm, unitNorm, type UnitNormArgs} from '../layers/unit_norm.js';
export type {MovingAverageKind} from './layer_support/moving_average.js';
export {register, type RegisterOptions} from './register.js';
export {
  convertModel,
  type ConvertOptions,
} from './models/stock/convert_model.js';
export type {
  BatchSource,
  ModelData,
  Tensors,
} from './statistics/data_batches.js';
export type {FeatureData} from './statistics/data_statistics.js';
export type {DataProgress, DataWatch} from './statistics/data_progress.js';
export {
  foldBatchNorm,
  type FoldOptions,
  type FoldReport,
} from './models/fold/fold_batch_norm.js';
export {
  freezeBatchNorm,
  type FreezeOptions,
  setStatistics,
  unfreezeBatchNorm,
} from './models/set_batch_norms.js';
export {formatInspection} from './models/inspect/format_inspection.js';
export {fromKeras} from './models/keras/from_keras.js';
export {inspect, type InspectOptions} from './models/inspect/inspect.js';
export type {
  Comparison,
  Inspection,
  InspectionRow,
  Prediction,
  Range,
  Scores,
} from './models/inspect/inspection.js';
export {patchStockLayers} from './models/patch/patch_stock_layers.js';
export type {GatherOptions} from './models/data/gather_statistics.js';
export {
  recalibrate,
  type RecalibrateOptions,
} from './models/data/recalibrate.js';
export {toStock, type ToStockOptions} from './models/stock/to_stock.js';
