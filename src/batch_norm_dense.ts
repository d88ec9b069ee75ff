import {layers} from '@tensorflow/tfjs-layers';
import {batchNorm, type BatchNormArgs} from '../layers/batch_norm.js';
import {checkLayerOptions, type LayerArgs} from './layer_support/options.js';

type DenseArgs = Parameters<typeof layers.dense>[0];

/** Options of {@link batchNormDense}: those of `tf.layers.dense`, and one more. */
export interface BatchNormDenseArgs extends DenseArgs {
  /** Options of the batch normalization. Defaults to its defaults. */
  batchNorm?: BatchNormArgs;
}

type OwnOption = Exclude<keyof BatchNormDenseArgs, keyof LayerArgs>;

/** A record, so that an option which tf.js adds is missed by the compiler. */
const OPTIONS: Readonly<Record<OwnOption, true>> = {
  units: true,
  activation: true,
  useBias: true,
  kernelInitializer: true,
  biasInitializer: true,
  inputDim: true,
  kernelConstraint: true,
  biasConstraint: true,
  kernelRegularizer: true,
  biasRegularizer: true,
  activityRegularizer: true,
  batchNorm: true,
};

/**
 * A fully connected layer with batch normalization before its activation,
 * `φ(BN(Wx))`: the three layers to add to a model, in their order. There is no
 * bias unless `useBias` asks for one, since beta does its work.
 *
 * Shape: `[batch, …, n]` to `[batch, …, units]`.
 *
 * ```js
 * const model = tf.sequential();
 * for (const layer of batchNormDense({
 *   units: 100,
 *   activation: 'sigmoid',
 *   inputShape: [64],
 *   batchNorm: {movingAverage: 'debiased'},
 * })) {
 *   model.add(layer);
 * }
 * ```
 *
 * @param args `units`, `kernelInitializer` and the other options of
 *   `tf.layers.dense`; `activation` (`'linear'`), applied last; `batchNorm`, the
 *   options of the batch normalization. A `name` is the dense layer's, and the
 *   others' with a suffix; `trainable` is for both layers that have weights.
 * @throws Error if an option is unknown; else as `tf.layers.dense` and `BatchNorm`
 *   do.
 *
 * @see Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167, section 3.2.
 */
export function batchNormDense(args: BatchNormDenseArgs): layers.Layer[] {
  checkLayerOptions(args, Object.keys(OPTIONS), 'batchNormDense');
  const {batchNorm: normArgs, activation = 'linear', ...dense} = args;
  const named = (suffix: string): {name?: string} =>
    dense.name == null ? {} : {name: `${dense.name}_${suffix}`};
  const {trainable} = dense;
  const frozen = trainable == null ? {} : {trainable};
  return [
    layers.dense({...dense, useBias: dense.useBias ?? false}),
    batchNorm({...named('batch_norm'), ...frozen, ...normArgs}),
    layers.activation({...named('activation'), activation}),
  ];
}
