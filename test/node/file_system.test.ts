import {mkdirSync, readdirSync, renameSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-normalization/node';
import {FileSystemHandler} from '../../src/node/file_system.js';
import {
  artifactsOf,
  bytesOf,
  makeModel,
  predictions,
  readJson,
  train,
  useFolder,
} from './support.js';

const folder = useFolder();

describe('fileSystem with a model', () => {
  it('loads the same model, bit for bit', async () => {
    const model = makeModel();
    await train(model);
    await model.save(fileSystem(folder()));
    const loaded = await tf.loadLayersModel(fileSystem(folder()));
    expect(predictions(loaded)).toEqual(predictions(model));
  });

  it('loads the optimizer too, so that training continues', async () => {
    const model = makeModel();
    await train(model);
    await model.save(fileSystem(folder()), {includeOptimizer: true});
    const loaded = await tf.loadLayersModel(fileSystem(folder()));
    // Adam's step count is a scalar, its moments have the weights' shapes.
    const weights = await loaded.optimizer.getWeights();
    expect(weights.map(({tensor}) => tensor.shape)[0]).toEqual([]);
    expect(weights.length).toBe((await model.optimizer.getWeights()).length);
    for (let step = 0; step < 3; step++) {
      expect(await train(loaded)).toBe(await train(model));
    }
  });

  it('leaves the optimizer out unless requested', async () => {
    await makeModel().save(fileSystem(folder()));
    const json = readJson(join(folder(), 'model.json'));
    expect('trainingConfig' in json).toBe(false);
  });

  it('keeps the metadata that the user gave the model', async () => {
    const model = makeModel();
    model.setUserDefinedMetadata({classes: ['one', 'two']});
    await model.save(fileSystem(folder()));
    const loaded = await tf.loadLayersModel(fileSystem(folder()));
    expect(loaded.getUserDefinedMetadata()).toEqual({classes: ['one', 'two']});
  });

  it('saves a model without weights', async () => {
    const model = tf.sequential({
      layers: [tf.layers.flatten({inputShape: [2, 2]})],
    });
    await model.save(fileSystem(folder()));
    const loaded = await tf.loadLayersModel(fileSystem(folder()));
    expect(loaded.outputs[0]?.shape).toEqual([null, 4]);
  });

  it('reports the saved data', async () => {
    const saved = artifactsOf(1, 10);
    const {modelArtifactsInfo: info} = await new FileSystemHandler(
      folder(),
    ).save(saved);
    expect(info).toMatchObject({
      modelTopologyType: 'JSON',
      weightDataBytes: 40,
    });
    expect(info.dateSaved).toBeInstanceOf(Date);
  });

  it('leaves no tensor behind', async () => {
    const model = makeModel();
    const {numTensors} = tf.memory();
    await model.save(fileSystem(folder()));
    expect(tf.memory().numTensors).toBe(numTensors);
    (await tf.loadLayersModel(fileSystem(folder()))).dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe('the path of fileSystem', () => {
  const value = async (path: string): Promise<unknown> => {
    const {modelTopology} = await new FileSystemHandler(path).load();
    return (modelTopology as {value: unknown}).value;
  };

  it('is a folder, or the model.json in it', async () => {
    const file = join(folder(), 'model.json');
    await new FileSystemHandler(folder()).save(artifactsOf(1, 3));
    expect(await value(folder())).toBe(1);
    expect(await value(`${folder()}/`)).toBe(1);
    expect(await value(file)).toBe(1);
    await new FileSystemHandler(file).save(artifactsOf(2, 3));
    expect(await value(folder())).toBe(2);
  });

  it('is made, with all folders above', async () => {
    const deep = join(folder(), 'a', 'b', 'c');
    await new FileSystemHandler(deep).save(artifactsOf(3, 3));
    expect(await value(deep)).toBe(3);
  });

  it('may be relative to the working directory', async () => {
    const path = relative(process.cwd(), join(folder(), 'model'));
    await new FileSystemHandler(path).save(artifactsOf(4, 3));
    expect(await value(join(folder(), 'model', 'model.json'))).toBe(4);
  });

  it('may be a file of another name, to load', async () => {
    await new FileSystemHandler(folder()).save(artifactsOf(5, 3));
    renameSync(join(folder(), 'model.json'), join(folder(), 'best.json'));
    expect(await value(join(folder(), 'best.json'))).toBe(5);
  });

  // tfjs-node makes such a folder for model.save('file://out/model.json').
  it('may be a folder named model.json', async () => {
    const odd = join(folder(), 'model.json');
    mkdirSync(odd);
    await new FileSystemHandler(odd).save(artifactsOf(6, 3));
    expect(readdirSync(odd)).toContain('model.json');
    expect(await value(odd)).toBe(6);
  });
});

describe('the files of fileSystem', () => {
  const optional = {
    trainingConfig: {optimizer_config: {}, loss: 'meanSquaredError'},
    userDefinedMetadata: {a: {b: 1}},
    signature: {inputs: {}},
    modelInitializer: {node: []},
    initializerSignature: {outputs: {}},
  };

  it('are as tfjs writes them', async () => {
    const saved = artifactsOf(1, 3);
    await new FileSystemHandler(folder()).save(saved);
    const json = readJson(join(folder(), 'model.json'));
    const shard = json.weightsManifest[0]?.paths[0];
    expect(json).toEqual({
      modelTopology: {value: 1},
      format: 'layers-model',
      generatedBy: 'test',
      convertedBy: null,
      weightsManifest: [{paths: [shard], weights: saved.weightSpecs}],
    });
    expect(readdirSync(folder()).sort()).toEqual(['model.json', shard]);
  });

  it('keep all parts of a model', async () => {
    const saved = {...artifactsOf(1, 3), ...optional};
    await new FileSystemHandler(folder()).save(saved);
    expect(await new FileSystemHandler(folder()).load()).toEqual(saved);
  });

  it('keep weights of every dtype and shape', async () => {
    const tensors = {
      scalar: tf.scalar(1.5),
      float: tf.tensor2d([[1, 2, 3]]),
      int: tf.tensor1d([-7, 8], 'int32'),
      bool: tf.tensor1d([true, false, true], 'bool'),
      string: tf.tensor1d(['', 'grüße', 'x'.repeat(300)]),
      complex: tf.complex([1, 2], [3, 4]),
      empty: tf.zeros([0, 3]),
    };
    const {data, specs} = await tf.io.encodeWeights(tensors);
    const saved = {modelTopology: {}, weightData: data, weightSpecs: specs};
    await new FileSystemHandler(folder()).save(saved);
    const {weightData, weightSpecs} = await new FileSystemHandler(
      folder(),
    ).load();
    expect(weightSpecs).toEqual(specs);
    expect(bytesOf(weightData)).toEqual(bytesOf(data));
  });

  it('are several shards for large weights', async () => {
    const handler = new FileSystemHandler(folder(), {shardBytes: 16});
    await handler.save(artifactsOf(1, 10));
    const {paths} = readJson(join(folder(), 'model.json'))
      .weightsManifest[0] ?? {
      paths: [],
    };
    expect(paths.length).toBe(3);
    const one = await new FileSystemHandler(folder()).load();
    expect(one.weightData).toBeInstanceOf(ArrayBuffer);
    expect(bytesOf(one.weightData)).toEqual(
      bytesOf(artifactsOf(1, 10).weightData),
    );
    const several = await handler.load();
    expect(several.weightData).toHaveLength(3);
    expect(bytesOf(several.weightData)).toEqual(bytesOf(one.weightData));
  });

  it('may hold weightData given in several buffers', async () => {
    const whole = new Uint8Array(artifactsOf(1, 3).weightData as ArrayBuffer);
    const buffers = [
      whole.slice(0, 1).buffer,
      new ArrayBuffer(0),
      whole.slice(1).buffer,
    ];
    const saved = {...artifactsOf(1, 3), weightData: buffers};
    const handler = new FileSystemHandler(folder(), {shardBytes: 5});
    const {modelArtifactsInfo: info} = await handler.save(saved);
    expect(info.weightDataBytes).toBe(12);
    const {weightData} = await new FileSystemHandler(folder()).load();
    expect(bytesOf(weightData)).toEqual([...whole]);
  });

  // https://github.com/tensorflow/tfjs/blob/master/tfjs-converter: one group of
  // shards per a number of bytes, optionally in separate folders.
  it('may be in several groups, as the converter writes them', async () => {
    mkdirSync(join(folder(), 'weights'));
    writeFileSync(join(folder(), 'a-shard1of2.bin'), Uint8Array.of(1, 2));
    writeFileSync(join(folder(), 'a-shard2of2.bin'), Uint8Array.of(3));
    writeFileSync(join(folder(), 'weights', 'b.bin'), Uint8Array.of(4, 5));
    const weightsManifest = [
      {
        paths: ['./a-shard1of2.bin', 'a-shard2of2.bin'],
        weights: [{name: 'a', shape: [3], dtype: 'bool'}],
      },
      {paths: [], weights: []},
      {
        paths: ['weights/b.bin'],
        weights: [
          {
            name: 'b',
            shape: [1],
            dtype: 'float32',
            quantization: {dtype: 'float16'},
          },
        ],
      },
    ];
    const json = {modelTopology: {}, weightsManifest};
    writeFileSync(join(folder(), 'model.json'), JSON.stringify(json));
    const loaded = await new FileSystemHandler(folder()).load();
    expect(bytesOf(loaded.weightData)).toEqual([1, 2, 3, 4, 5]);
    expect(loaded.weightSpecs?.map(({name}) => name)).toEqual(['a', 'b']);
  });
});

describe('the progress of loading', () => {
  it('rises to 1', async () => {
    const fractions: number[] = [];
    const handler = new FileSystemHandler(folder(), {
      shardBytes: 16,
      onProgress: (fraction) => fractions.push(fraction),
    });
    await handler.save(artifactsOf(1, 10));
    expect(fractions).toEqual([]);
    await handler.load();
    expect(fractions).toEqual([16 / 40, 32 / 40, 1]);
  });

  it('is 1 at once for a model without weights', async () => {
    const onProgress = jest.fn();
    const handler = new FileSystemHandler(folder(), {onProgress});
    await handler.save(artifactsOf(1, 0));
    await handler.load();
    expect(onProgress.mock.calls).toEqual([[1]]);
  });

  it('may end the loading by throwing an error', async () => {
    const handler = new FileSystemHandler(folder(), {
      onProgress: () => {
        throw new Error('enough');
      },
    });
    await handler.save(artifactsOf(1, 10));
    await expect(handler.load()).rejects.toThrow(/^enough$/);
  });
});
