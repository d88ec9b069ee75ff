// Uses every public type by name.
import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  type BatchNormArgs,
  batchNormDense,
  type BatchNormDenseArgs,
  LayerNorm,
  layerNorm,
  type LayerNormArgs,
  layers,
  type MovingAverageKind,
  ops,
  patchStockLayers,
  register,
  type RegisterOptions,
  type StatisticsMode,
} from 'tfjs-normalization';
import {
  type FileSource,
  fromKerasFile,
  toKerasFile,
  type ToKerasFileOptions,
} from 'tfjs-normalization/keras';
import {fileSystem} from 'tfjs-normalization/node';
import {unpatch} from 'tfjs-normalization/patch';

const movingAverage: MovingAverageKind = 'debiased';
const statistics: StatisticsMode = 'auto';
const batch: BatchNormArgs = {movingAverage, statistics, axis: [-1]};
const layer: LayerNormArgs = {axis: -1, gammaInitializer: 'ones'};
const dense: BatchNormDenseArgs = {units: 4, inputShape: [3], batchNorm: batch};
const inKeras: ToKerasFileOptions = {synchronized: false};
const override: RegisterOptions = {override: false};

register(override);
unpatch();
patchStockLayers();

const model = tf.sequential();
for (const each of batchNormDense(dense)) model.add(each);
model.add(layerNorm(layer));
model.add(new LayerNorm(layer));
model.add(layers.batchNorm(batch));
model.add(batchNorm());
model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});

const x = tf.randomNormal([8, 3]) as tf.Tensor2D;
const labels = tf.randomNormal([8, 4], 0, 1, 'float32', 2);
const {y, mean}: {y: tf.Tensor; mean: tf.Tensor} = ops.batchNorm(x);
const rows: tf.Tensor = ops.layerNorm(y, {axis: [-1]});
const gradient: tf.Tensor = tf.grad((v: tf.Tensor) => ops.layerNorm(v))(rows);

async function main(): Promise<void> {
  const before = String(await model.getWeights()[0]?.data());
  const {history} = await model.fit(x, labels, {verbose: 0});
  await model.save(fileSystem('model'));
  const loaded = await tf.loadLayersModel(fileSystem('model'));
  const [expected, got] = [model, loaded].map(
    (each) => each.predict(gradient) as tf.Tensor,
  );
  const gap = tf.max(tf.abs(tf.sub(expected as tf.Tensor, got as tf.Tensor)));
  const after = String(await model.getWeights()[0]?.data());
  const small = tf.sequential({layers: [layerNorm({inputShape: [3]})]});
  const file: FileSource = await toKerasFile(small, inKeras);
  const inFile: tf.LayersModel = await fromKerasFile(file);
  console.log(
    JSON.stringify({
      backend: tf.getBackend(),
      loss: history['loss']?.[0],
      gap: gap.dataSync()[0],
      unmoved: before === after ? 1 : 0,
      sameWeights: String(await loaded.getWeights()[0]?.data()) === after,
      isBatchNorm:
        loaded.layers[1] instanceof BatchNorm &&
        inFile.layers.some((each) => each instanceof LayerNorm),
      means: mean.size,
    }),
  );
}

void main();
