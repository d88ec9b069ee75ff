// Files for Keras are read back here. By `npm run test:keras`, Keras reads them, too.
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fromKerasFile, toKerasFile} from 'tfjs-normalization/keras';
import {readZip} from '../../../src/keras_file/zip.js';
import {expectCloseNow} from '../../support/close.js';
import {valuesOf} from '../../support/tensors.js';
import {CASES, inputsFor, modelOf} from './every_layer.js';
import {
  isRefused,
  MODELS,
  REFUSED_LAYERS,
  withRandomWeights,
  type Written,
} from './models_for_keras.js';

/** The config without keys that are null, which is the default of all that may be. */
const configIn = (bytes: Uint8Array): unknown =>
  JSON.parse(
    tf.util.decodeString(readZip(bytes, 'test').get('config.json') as never),
    (_, value: unknown) =>
      // tf.js renumbers stacked cells.
      typeof value === 'string'
        ? value.replace(/RNNCells\d+/, 'RNNCells')
        : (value ?? undefined),
  );

const FOLDER = process.env.KERAS_MODELS;

/** `npm run test:keras` has Keras load them. */
(FOLDER === undefined ? describe.skip : describe)('files for Keras', () => {
  it('are written, with predictions', async () => {
    const folder = join(FOLDER ?? '', 'files');
    mkdirSync(folder, {recursive: true});
    const manifest: object[] = [];
    for (const [name, make] of MODELS) {
      const model = withRandomWeights(make());
      const inputs = inputsFor(model);
      const file = `${manifest.length}.keras`;
      // Before predictions, which change states.
      writeFileSync(join(folder, file), await toKerasFile(model));
      const outputs = [model.predict(inputs)].flat();
      manifest.push({
        ...{name, file},
        inputs: inputs.map(plain),
        outputs: outputs.map(plain),
      });
    }
    writeFileSync(join(folder, 'files.json'), JSON.stringify(manifest));
  });
});

function plain(tensor: tf.Tensor): object {
  const {shape, dtype} = tensor;
  return {shape, dtype, values: valuesOf(tensor)};
}

describe('toKerasFile', () => {
  it.each(MODELS as Written[])(
    '%s, read back, is the same',
    async (_, make) => {
      const model = withRandomWeights(make());
      const x = inputsFor(model);
      const expected = [model.predict(x)].flat();
      const {numTensors} = tf.memory();
      const bytes = await toKerasFile(model);
      expect(tf.memory().numTensors).toBe(numTensors);
      const back = await fromKerasFile(bytes);
      const found = [back.predict(x)].flat();
      expect(found.map(({shape}) => shape)).toEqual(
        expected.map(({shape}) => shape),
      );
      found.forEach((y, i) => {
        expectCloseNow(y, expected[i] as tf.Tensor, {
          what: 'y',
          // The normalizations here, against tf.js's own.
          roundings: 20,
          scale: 4,
        });
      });
      expect(configIn(await toKerasFile(back))).toEqual(configIn(bytes));
    },
  );

  it.each(CASES.filter(([name]) => isRefused(name)))(
    '%s is refused',
    async (name, kind, make) => {
      const [, why = ''] =
        Object.entries(REFUSED_LAYERS).find(([begin]) =>
          name.startsWith(begin),
        ) ?? [];
      await expect(toKerasFile(modelOf(kind, make))).rejects.toThrow(why);
    },
  );
});
