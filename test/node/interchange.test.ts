import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {FileSystemHandler} from '../../src/node/file_system.js';
import {requireBuild, run} from './child.js';
import {artifactsOf, useFolder} from './support.js';

interface Backends {
  run: string[];
  skipped: Array<{name: string; why: string}>;
}

// eslint-disable-next-line @typescript-eslint/no-require-imports
const {backends} = require('../support/backends.js') as {
  backends: () => Backends;
};

const missing = backends().skipped.find(({name}) => name === 'tensorflow');

if (missing === undefined) {
  describe('with tfjs-node', () => {
    const folder = useFolder();
    beforeAll(requireBuild);

    it.each(['ours first', 'theirs first'])(
      'files go both ways, and URLs to one handler, loaded %s',
      (order) => {
        expect(run('interchange.cjs', [order, folder()])).toEqual({
          handlers: ['NodeFileSystem', 'NodeFileSystem'],
          oursToTheirs: true,
          theirsToOurs: true,
          overTheirs: true,
          overOurs: true,
          byUrl: true,
          theirsIsKept: true,
        });
      },
    );
  });
} else {
  console.log(`Skipped: interchange with tfjs-node: ${missing.why}`);
}

describe('files as tfjs-node 4.22 writes them', () => {
  const folder = useFolder();

  // From dist/io/file_system.js of that version: these keys in this order, and
  // all weights in weights.bin.
  const json = {
    modelTopology: {class_name: 'Sequential'},
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: [
          {name: 'dense/kernel', shape: [2, 1], dtype: 'float32'},
          {name: 'iter', shape: [], dtype: 'int32', group: 'optimizer'},
        ],
      },
    ],
    format: 'layers-model',
    generatedBy: 'TensorFlow.js tfjs-layers v4.22.0',
    convertedBy: null,
    trainingConfig: {loss: 'meanSquaredError', optimizer_config: {}},
  };
  const bytes = Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64, 3, 0, 0, 0);

  beforeEach(() => {
    writeFileSync(join(folder(), 'model.json'), JSON.stringify(json));
    writeFileSync(join(folder(), 'weights.bin'), bytes);
  });

  it('are loaded', async () => {
    const {weightsManifest, ...others} = json;
    expect(await new FileSystemHandler(folder()).load()).toEqual({
      ...others,
      weightSpecs: weightsManifest[0]?.weights,
      weightData: bytes.buffer,
    });
  });

  it('are replaced by a save, except weights.bin, which is not ours', async () => {
    await new FileSystemHandler(folder()).save(artifactsOf(1, 3));
    await new FileSystemHandler(folder()).save(artifactsOf(2, 3));
    const loaded = await new FileSystemHandler(folder()).load();
    expect(loaded.modelTopology).toEqual({value: 2});
    expect(readFileSync(join(folder(), 'weights.bin'))).toEqual(
      Buffer.from(bytes),
    );
  });
});
