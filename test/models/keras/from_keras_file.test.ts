// Files that Keras saved, with test/fixtures/keras_files.py.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import {fromKerasFile, toKerasFile} from 'tfjs-normalization/keras';
import {watchVariables} from '../../../src/models/graph/build_model.js';
import {readHdf5} from '../../../src/keras_file/hdf5/read_hdf5.js';
import {values} from '../../../src/keras_file/hdf5/dataset.js';
import {
  type Hdf5Values,
  writeHdf5,
} from '../../../src/keras_file/hdf5/write_hdf5.js';
import {readZip, writeZip} from '../../../src/keras_file/zip.js';
import {backend} from '../../support/backend.js';
import {
  bytesOf,
  type FileCase,
  inputsIn,
  isBetweenModels,
  predict,
  readFileCases,
} from './keras_file_cases.js';
import {expectPredictions} from './keras_models.js';
import {mutants} from './mutants.js';

const CASES = readFileCases(join(__dirname, '../../fixtures/keras_files.json'));

/** The changes are to JSON, which is the same on every backend. */
const RUNS = backend === 'cpu' ? 300 : 40;

/**
 * tf.js's wasm computes conv3dTranspose wrongly: by 10.7 off its cpu backend, for the op
 * alone.
 */
const RIGHT = CASES.filter(
  (given) =>
    !isBetweenModels(given) && (backend !== 'wasm' || given.name !== 'volumes'),
);

function caseOf(wanted: string): FileCase {
  const found = CASES.find(({name}) => name === wanted);
  if (found === undefined) throw new Error(`there is no case ${wanted}`);
  return found;
}

describe('fromKerasFile', () => {
  it.each(RIGHT)('predicts as Keras does: $name', async (given) => {
    const model = await fromKerasFile(bytesOf(given));
    expectPredictions(given as never, predict(given, model));
    // And so does what is written of it.
    const again = await fromKerasFile(await toKerasFile(model));
    expectPredictions(given as never, predict(given, again));
  });

  it.each(CASES.filter(isBetweenModels))(
    'names a layer that models share: $name',
    async (given) => {
      await expect(fromKerasFile(bytesOf(given))).rejects.toThrow(
        /^Dense dense: it is in the models \w+ and \w+, and the file has too few weights/,
      );
    },
  );

  it('trains on as Keras does with batch renormalization', async () => {
    const given = caseOf('renormalized');
    const read = await fromKerasFile(bytesOf(given));
    // All of its weights are written, and so do the same.
    const again = await fromKerasFile(await toKerasFile(read));
    for (const model of [read, again]) {
      const outputs = model.apply(inputsIn(given), {training: true});
      const trained = [outputs as tf.Tensor, ...predict(given, model)];
      const expected = given.trained ?? [];
      expectPredictions({...given, outputs: expected} as never, trained);
    }
  });

  it('takes bytes in every form, a Blob, and paths and URLs', async () => {
    const given = caseOf('sequential');
    const bytes = bytesOf(given);
    const folder = mkdtempSync(join(tmpdir(), 'keras-'));
    const path = join(folder, 'a model.keras');
    writeFileSync(path, bytes);
    const base64 = Buffer.from(bytes).toString('base64');
    const sources = [
      // A Buffer may begin in the middle of its memory.
      Buffer.concat([Buffer.from('ab'), bytes]).subarray(2),
      bytes.buffer as ArrayBuffer,
      new Blob([bytes as BlobPart]),
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      `data:application/octet-stream;base64,${base64}`,
    ];
    for (const source of sources) {
      const model = await fromKerasFile(source);
      expectPredictions(given as never, predict(given, model));
    }
    rmSync(folder, {recursive: true});
    await expect(fromKerasFile(path)).rejects.toThrow(
      /^fromKerasFile: the file cannot be read \(.*ENOENT.*Received: source="/,
    );
  });

  it.each([[undefined], [null], [3], [''], [{}], [[80, 75]]])(
    'refuses a source that is none: %j',
    async (source) => {
      await expect(fromKerasFile(source as never)).rejects.toThrow(
        'fromKerasFile: the source must be bytes, a Blob, a URL or, in Node, a path',
      );
    },
  );

  it.each(['lecun_normal', 'glorotUniform', 'Zeros', 'uniform', ' '])(
    'reads an initializer by its name, and does without an unknown one: %j',
    async (name) => {
      const given = caseOf('sequential');
      const bytes = withConfig(given, (text) =>
        JSON.stringify(JSON.parse(text), (key, value: unknown) =>
          key === 'kernel_initializer' ? name : value,
        ),
      );
      const model = await fromKerasFile(bytes);
      expectPredictions(given as never, predict(given, model));
    },
  );

  it('takes no options', async () => {
    const load = fromKerasFile as (...args: unknown[]) => Promise<unknown>;
    await expect(load(new Uint8Array(), {strict: true})).rejects.toThrow(
      /^fromKerasFile: .*strict/,
    );
  });
});

/** A file with one of its members changed, or left out. */
function changed(
  given: FileCase,
  name: string,
  change: (member: Uint8Array) => Uint8Array | undefined,
): Uint8Array {
  const members = readZip(bytesOf(given), 'test');
  const become = change(members.get(name) ?? new Uint8Array());
  if (become) members.set(name, become);
  else members.delete(name);
  return writeZip(members);
}

/** A file with its weights changed. */
const withWeights = (
  given: FileCase,
  change: (arrays: Map<string, Hdf5Values>) => void,
): Uint8Array =>
  changed(given, 'model.weights.h5', (member) => {
    const {datasets} = readHdf5(member, 'test');
    const arrays = new Map<string, Hdf5Values>(
      [...datasets].map(([path, dataset]) => [
        path,
        {shape: dataset.shape, values: values(dataset)},
      ]),
    );
    change(arrays);
    return writeHdf5(arrays);
  });

const withConfig = (
  given: FileCase,
  change: (text: string) => string,
): Uint8Array =>
  changed(given, 'config.json', (member) =>
    tf.util.encodeString(change(tf.util.decodeString(member))),
  );

describe('a file that fromKerasFile refuses', () => {
  const sequential = caseOf('sequential');
  const vector = {shape: [2], values: Float32Array.of(1, 2)};
  const cases: ReadonlyArray<[string, Uint8Array, RegExp]> = [
    ['nothing', new Uint8Array(), /^fromKerasFile: /],
    ['text', tf.util.encodeString('keras'), /^fromKerasFile: /],
    [
      'half of a file',
      bytesOf(sequential).subarray(0, 4000),
      /^fromKerasFile: /,
    ],
    [
      'no config',
      changed(sequential, 'config.json', () => undefined),
      /^fromKerasFile: the file has no config\.json/,
    ],
    [
      'no weights',
      changed(sequential, 'model.weights.h5', () => undefined),
      /^fromKerasFile: the file has no model\.weights\.h5/,
    ],
    [
      'another version',
      changed(sequential, 'metadata.json', () =>
        tf.util.encodeString('{"keras_version": "2.15.0"}'),
      ),
      /^fromKerasFile: the file must be of Keras 3\. Received: keras_version="2/,
    ],
    [
      'a config that is not JSON',
      withConfig(sequential, (text) => text.slice(1)),
      /^fromKerasFile: config\.json is not JSON/,
    ],
    [
      'a config that is a list',
      withConfig(sequential, () => '[]'),
      /^fromKerasFile: config\.json is not an object/,
    ],
    [
      'a layer without its weights',
      withWeights(sequential, (arrays) => {
        for (const path of [...arrays.keys()]) {
          if (path.startsWith('layers/dense_1/')) arrays.delete(path);
        }
      }),
      /^fromKerasFile: 2 of 8 weights are missing\. Received: missing=\["dense_1\/kernel"/,
    ],
    [
      'weights without a layer',
      withWeights(sequential, (arrays) =>
        arrays.set('layers/dense_2/vars/0', vector),
      ),
      /^fromKerasFile: the file has a weight that no layer takes.*dense_2/,
    ],
    [
      'more weights than a layer has',
      withWeights(sequential, (arrays) =>
        arrays.set('layers/dense/vars/2', vector),
      ),
      /^fromKerasFile: the layer dense takes 2 weights/,
    ],
    [
      'a weight of another shape',
      withWeights(sequential, (arrays) =>
        arrays.set('layers/dense_1/vars/1', {
          shape: [1, 2],
          values: Float32Array.of(1, 2),
        }),
      ),
      /^fromKerasFile: the weight dense_1\/bias must be float32 of shape \[2\]/,
    ],
    [
      'a layer with a layer as activation',
      withConfig(sequential, (text) =>
        text.replace(
          '"activation": "linear"',
          '"activation": {"class_name": "ReLU", "config": {}}',
        ),
      ),
      /^Dense dense: tf\.js has no such activation/,
    ],
    [
      'a GRU as Keras makes it',
      withConfig(caseOf('states'), (text) =>
        text.replace('"reset_after": false', '"reset_after": true'),
      ),
      /^GRU gru: tf\.js has no such reset_after/,
    ],
    [
      'an operation with the name of a layer',
      withConfig(caseOf('operators'), (text) =>
        text.replaceAll('"class_name": "Add"', '"class_name": "Average"'),
      ),
      /^Average add: tf\.js has the layer of this name, not the operation/,
    ],
    [
      'a cycle',
      withConfig(caseOf('nested'), (text) =>
        text.replace(
          /"keras_history": \["input_layer[^"]*", 0, 0\]/g,
          (found) => found.replace(/"input_layer[^"]*"/, '"dense"'),
        ),
      ),
      /Received: /,
    ],
  ];

  it.each(cases)('%s', async (_, bytes, message) => {
    const {numTensors} = tf.memory();
    const newVariables = watchVariables();
    await expect(fromKerasFile(bytes)).rejects.toThrow(message);
    expect(newVariables()).toEqual([]);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe('a file with something changed in its config', () => {
  it('loads, or is refused with a message, and leaks nothing', async () => {
    const seeds = ['sequential', 'nested twice', 'state outputs', 'operators'];
    const given = seeds.map((name) => {
      const config = readZip(bytesOf(caseOf(name)), 'test').get('config.json');
      const text = tf.util.decodeString(config as Uint8Array);
      const model = JSON.parse(text) as tf.io.ModelJSON;
      return {...caseOf(name), model, weights: ''};
    });
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(mutants(given), async ({name, model}) => {
        const bytes = withConfig(caseOf(name), () => JSON.stringify(model));
        const {numTensors} = tf.memory();
        const newVariables = watchVariables();
        const names = Object.getOwnPropertyNames(Object.prototype);
        const loaded = await fromKerasFile(bytes).catch((error: unknown) => {
          expect((error as Error).message).not.toBe('');
          return undefined;
        });
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(names);
        if (loaded) accepted += 1;
        else expect(newVariables()).toEqual([]);
        for (const variable of newVariables()) variable.dispose();
        expect(tf.memory().numTensors).toBe(numTensors);
      }),
      {numRuns: RUNS},
    );
    // Otherwise only refusals would be tested.
    expect(accepted).toBeGreaterThan(RUNS / 20);
    expect(accepted).toBeLessThan(RUNS * 0.95);
  });
});
