import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';

/** Makes a new folder for each test, removed after it. */
export function useFolder(): () => string {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tfjs-normalization-'));
  });
  afterEach(() => rmSync(folder, {recursive: true, force: true}));
  return () => folder;
}

/** Returns a small compiled model, whose weights depend on `units`. */
export function makeModel(units = 4): tf.Sequential {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({units, useBias: false, inputShape: [3]}),
      batchNorm({movingAverage: 'cumulative'}),
      tf.layers.dense({units: 1}),
    ],
  });
  model.compile({optimizer: tf.train.adam(0.1), loss: 'meanSquaredError'});
  return model;
}

/** Returns data for {@link makeModel}'s models. */
export function makeData(): [xs: tf.Tensor, ys: tf.Tensor] {
  return [
    tf.randomNormal([16, 3], 0, 1, 'float32', 1),
    tf.randomNormal([16, 1], 0, 1, 'float32', 2),
  ];
}

/** Trains one step, and returns the loss. */
export async function train(model: tf.LayersModel): Promise<number> {
  const [xs, ys] = makeData();
  const {history} = await model.fit(xs, ys, {
    batchSize: 16,
    shuffle: false,
    verbose: 0,
  });
  return Number(history.loss?.[0]);
}

/** Returns the model's predictions for {@link makeData}'s inputs. */
export function predictions(model: tf.LayersModel): number[] {
  const [xs] = makeData();
  return Array.from((model.predict(xs) as tf.Tensor).dataSync());
}

/**
 * Returns a model of `count` weights with the same value, without any layers.
 */
export function artifactsOf(
  value: number,
  count: number,
): tf.io.ModelArtifacts {
  return {
    modelTopology: {value},
    format: 'layers-model',
    generatedBy: 'test',
    convertedBy: null,
    weightSpecs: [{name: 'w', shape: [count], dtype: 'float32'}],
    weightData: new Float32Array(count).fill(value).buffer,
  };
}

/** Returns all bytes of weightData, in any of its forms. */
export function bytesOf(data: tf.io.WeightData | undefined): number[] {
  const list = Array.isArray(data) ? data : [data ?? new ArrayBuffer(0)];
  return list.flatMap((buffer) => [...new Uint8Array(buffer)]);
}

/** Returns the message that a promise is rejected with. */
export async function messageOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    () => 'it went well',
    (error: unknown) => error,
  );
  return outcome instanceof Error ? outcome.message : String(outcome);
}

/** Returns the contents of all files in a folder, to detect changes. */
export function contentsOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(
    names.map((name) => [
      name,
      readFileSync(join(folder, name)).toString('base64'),
    ]),
  );
}

/** Parses a model.json. */
export function readJson(file: string): tf.io.ModelJSON {
  return JSON.parse(readFileSync(file, 'utf8')) as tf.io.ModelJSON;
}
