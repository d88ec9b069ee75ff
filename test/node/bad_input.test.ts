import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import {devNull} from 'node:os';
import {join} from 'node:path';
import type {io} from '@tensorflow/tfjs';
import {FileSystemHandler} from '../../src/node/file_system.js';
import {
  artifactsOf,
  contentsOf,
  messageOf,
  readJson,
  useFolder,
} from './support.js';

const folder = useFolder();

/** The message of an error, after checking that it has the house form. */
async function refusal(path: string, act: Promise<unknown>): Promise<string> {
  const message = await messageOf(act);
  const start = `fileSystem ${path}: `;
  expect(message.startsWith(start)).toBe(true);
  expect(message).toMatch(/^[^\n\r]+\. Received: [^\n\r]+$/);
  return message.slice(start.length);
}

function loading(path = folder()): Promise<string> {
  return refusal(path, new FileSystemHandler(path).load());
}

function saving(
  artifacts: io.ModelArtifacts,
  path = folder(),
): Promise<string> {
  return refusal(path, new FileSystemHandler(path).save(artifacts));
}

/** Root may write anywhere: does something as a user who may not. */
async function unprivileged<T>(act: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return act();
  process.seteuid?.(65534);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

describe('the path', () => {
  it.each([undefined, null, 7, '', ['a', 'b']])('is refused if %p', (path) => {
    expect(() => new FileSystemHandler(path as string)).toThrow(
      /^fileSystem .*: the path must be a non-empty string\. Received: path=/,
    );
  });
});

describe('loading is refused where', () => {
  it('there is nothing', async () => {
    const path = join(folder(), 'nothing');
    expect(await loading(path)).toBe(
      `there is no ${path}. Received: path=${JSON.stringify(path)}`,
    );
  });

  it('the folder has no model.json', async () => {
    expect(await loading()).toContain(
      `there is no ${join(folder(), 'model.json')}`,
    );
  });

  it('the model.json is a folder', async () => {
    mkdirSync(join(folder(), 'model.json'));
    expect(await loading()).toContain('the model.json is not a file');
  });

  it('the path is a device', async () => {
    expect(await loading(devNull)).toContain('the model.json is not a file');
  });

  it('the path goes through a file', async () => {
    writeFileSync(join(folder(), 'file'), '');
    expect(await loading(join(folder(), 'file', 'model.json'))).toContain(
      'the model cannot be read (ENOTDIR',
    );
  });

  it('the model.json cannot be read', async () => {
    writeFileSync(join(folder(), 'model.json'), '', {mode: 0});
    chmodSync(folder(), 0o755);
    expect(await unprivileged(loading)).toContain(
      'the model.json cannot be read (EACCES',
    );
  });

  it.each([
    ['', 'is not JSON. Received: model.json=""'],
    ['{"modelTopology"', 'is not JSON'],
    ['no\nJSON\nat all '.repeat(50), 'is not JSON'],
    ['[]', 'is not an object. Received: model.json="[]"'],
    ['null', 'is not an object'],
    ['"text"', 'is not an object'],
    ['{}', 'has no modelTopology. Received: keys=[]'],
    ['{"weightsManifest": []}', 'has no modelTopology'],
    ['{"modelTopology": 3, "weightsManifest": []}', 'has no modelTopology'],
    [
      '{"modelTopology": {}}',
      'has no weightsManifest. Received: keys=["modelTopology"]',
    ],
    ['{"modelTopology": {}, "weightsManifest": {}}', 'has no weightsManifest'],
  ])('the model.json is %j', async (text, why) => {
    writeFileSync(join(folder(), 'model.json'), text);
    expect(await loading()).toContain(`the model.json ${why}`);
  });
});

describe('loading is refused where the manifest', () => {
  const weight = {name: 'w', shape: [1], dtype: 'float32'};

  async function loadingOf(weightsManifest: unknown): Promise<string> {
    const json = {modelTopology: {}, weightsManifest};
    writeFileSync(join(folder(), 'model.json'), JSON.stringify(json));
    return loading();
  }

  it.each([null, 3, [], {}, {paths: []}, {paths: 'a', weights: []}])(
    'has a group that is %j',
    async (group) => {
      expect(await loadingOf([group])).toBe(
        'weightsManifest[0] is not a list of paths and a list of weights. ' +
          `Received: weightsManifest[0]=${JSON.stringify(group)}`,
      );
    },
  );

  it.each([
    null,
    {},
    {...weight, name: 3},
    {...weight, shape: 3},
    {...weight, shape: [null]},
    {...weight, shape: [-1]},
    {...weight, shape: [1.5]},
    {...weight, dtype: 'float31'},
    {...weight, dtype: undefined},
    {...weight, quantization: {}},
    {...weight, quantization: {dtype: 'int4'}},
  ])('has a weight that is %j', async (entry) => {
    expect(await loadingOf([{paths: [], weights: [weight, entry]}])).toContain(
      'weightsManifest[0].weights[1] is not the name, shape and dtype of a ' +
        'weight. Received: weightsManifest[0].weights[1]=',
    );
  });

  it.each([
    '../outside.bin',
    '..',
    'a/../../outside.bin',
    './../outside.bin',
    '..\\outside.bin',
    'a\\..\\..\\outside.bin',
    '/etc/passwd',
    '\\\\server\\share\\outside.bin',
    'C:\\outside.bin',
    'C:outside.bin',
    '',
    7,
    null,
  ])('names the file %j', async (file) => {
    writeFileSync(join(folder(), '..', 'outside.bin'), Buffer.alloc(4));
    const message = await loadingOf([{paths: [file], weights: [weight]}]);
    unlinkSync(join(folder(), '..', 'outside.bin'));
    expect(message).toBe(
      "weightsManifest[0].paths[0] is not a file in the model's folder. " +
        `Received: weightsManifest[0].paths[0]=${JSON.stringify(file)}`,
    );
  });

  it('names a folder', async () => {
    mkdirSync(join(folder(), 'w'));
    expect(await loadingOf([{paths: ['w'], weights: [weight]}])).toBe(
      'a weight shard is not a file. Received: weightsManifest[0].paths[0]="w"',
    );
  });

  it('names what no file can be called', async () => {
    expect(await loadingOf([{paths: ['a\0b'], weights: []}])).toContain(
      'a weight shard cannot be read (',
    );
  });
});

describe('loading is refused where the shard', () => {
  let shard = '';
  beforeEach(async () => {
    await new FileSystemHandler(folder()).save(artifactsOf(1, 3));
    const {weightsManifest} = readJson(join(folder(), 'model.json'));
    shard = weightsManifest[0]?.paths[0] ?? '';
  });

  it('is missing', async () => {
    unlinkSync(join(folder(), shard));
    expect(await loading()).toBe(
      'a weight shard is missing. ' +
        `Received: weightsManifest[0].paths[0]="${shard}"`,
    );
  });

  it.each([0, 1, 11, 13, 16])('has %d bytes and not 12', async (length) => {
    truncateSync(join(folder(), shard), length);
    expect(await loading()).toBe(
      `the weight shards hold ${length} bytes where their weights need 12. ` +
        `Received: weightsManifest[0].paths=["${shard}"]`,
    );
  });

  it('cannot be read', async () => {
    chmodSync(folder(), 0o755);
    chmodSync(join(folder(), shard), 0);
    expect(await unprivileged(loading)).toContain(
      'a weight shard cannot be read (EACCES',
    );
  });

  it('becomes shorter while it is read', async () => {
    const {stat} = fs;
    jest.spyOn(fs, 'stat').mockImplementation(async (path) => {
      const found = await stat(path);
      truncateSync(String(path), 11);
      return found;
    });
    expect(await loading()).toBe(
      'a weight shard cannot be read (it has become shorter). ' +
        `Received: weightsManifest[0].paths[0]="${shard}"`,
    );
  });

  it('is of the second group, and shorter by what the first has more', async () => {
    const file = join(folder(), 'model.json');
    const json = readJson(file);
    const weights = [{name: 'x', shape: [2], dtype: 'float32' as const}];
    json.weightsManifest.push({paths: ['second.bin'], weights});
    writeFileSync(file, JSON.stringify(json));
    writeFileSync(join(folder(), shard), Buffer.alloc(16));
    writeFileSync(join(folder(), 'second.bin'), Buffer.alloc(4));
    expect(await loading()).toContain(
      'hold 16 bytes where their weights need 12',
    );
  });

  it.each([0, 3, 4, 5, 8])('has strings cut at byte %d', async (length) => {
    const strings = Buffer.from('\x02\0\0\0hi\x01\0\0\0!', 'latin1');
    await new FileSystemHandler(folder()).save({
      modelTopology: {},
      weightSpecs: [{name: 's', shape: [2], dtype: 'string'}],
      weightData: new Uint8Array(strings).buffer,
    });
    const {weightsManifest} = readJson(join(folder(), 'model.json'));
    truncateSync(join(folder(), weightsManifest[0]?.paths[0] ?? ''), length);
    expect(await loading()).toContain(`hold ${length} bytes where`);
  });
});

describe('saving is refused, and writes nothing, where', () => {
  const good = artifactsOf(2, 3);
  const cyclic: Record<string, unknown> = {};
  cyclic.itself = cyclic;

  it.each<[string, Partial<Record<keyof io.ModelArtifacts, unknown>>, string]>([
    [
      'the topology is bytes',
      {modelTopology: new ArrayBuffer(8)},
      'only a model whose topology is JSON can be saved. ' +
        'Received: modelTopology="bytes"',
    ],
    [
      'the topology is a Buffer',
      {modelTopology: Buffer.alloc(8)},
      'only a model whose topology is JSON',
    ],
    [
      'there is no topology',
      {modelTopology: undefined},
      'only a model whose topology is JSON can be saved. ' +
        'Received: modelTopology=undefined',
    ],
    [
      'there are no weights',
      {weightData: undefined},
      'a model is saved with its weightSpecs and weightData. Received: ' +
        'modelArtifacts=["modelTopology"',
    ],
    [
      'the weights are no bytes',
      {weightData: [1, 2, 3]},
      'a model is saved with its weightSpecs and weightData',
    ],
    [
      'there are no specs',
      {weightSpecs: undefined},
      'a model is saved with its weightSpecs and weightData',
    ],
    [
      'a spec is none',
      {weightSpecs: [{name: 'w', shape: [3], dtype: 'float'}]},
      'weightSpecs[0] is not the name, shape and dtype of a weight. ' +
        'Received: weightSpecs[0]={"name":"w","shape":[3],"dtype":"float"}',
    ],
    [
      'there are too few bytes',
      {weightData: new ArrayBuffer(11)},
      'weightData has 11 bytes where weightSpecs need 12. ' +
        'Received: weightData.byteLength=11',
    ],
    [
      'there are too many bytes',
      {weightData: [new ArrayBuffer(12), new ArrayBuffer(1)]},
      'weightData has 13 bytes where weightSpecs need 12',
    ],
    [
      'the model throws what is no error',
      {
        userDefinedMetadata: {
          toJSON: () => {
            // eslint-disable-next-line @typescript-eslint/only-throw-error
            throw null;
          },
        },
      },
      'the model cannot be written as JSON (null). ',
    ],
    [
      'the model refers to itself',
      {userDefinedMetadata: cyclic},
      'the model cannot be written as JSON (',
    ],
  ])('%s', async (_, change, why) => {
    await new FileSystemHandler(folder()).save(artifactsOf(1, 3));
    const before = contentsOf(folder());
    const bad = {...good, ...change} as io.ModelArtifacts;
    expect(await saving(bad)).toContain(why);
    expect(contentsOf(folder())).toEqual(before);
    const elsewhere = join(folder(), 'elsewhere');
    await saving(bad, elsewhere);
    expect(existsSync(elsewhere)).toBe(false);
  });

  it('the path is a file', async () => {
    const file = join(folder(), 'file.txt');
    writeFileSync(file, 'mine');
    expect(await saving(good, file)).toBe(
      'a model is saved in a folder, and this is a file or below one. ' +
        `Received: path=${JSON.stringify(file)}`,
    );
    expect(await saving(good, join(file, 'x'))).toContain('or below one');
    expect(await saving(good, join(file, 'model.json'))).toContain('or below');
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('the folder cannot be made', async () => {
    const path = join(folder(), 'x'.repeat(300));
    expect(await saving(good, path)).toContain(
      'the folder cannot be made (ENAMETOOLONG',
    );
  });

  it('the model.json is a folder that is not empty', async () => {
    mkdirSync(join(folder(), 'model.json', 'inner'), {recursive: true});
    expect(await saving(good)).toContain('the model cannot be written (');
    expect(readdirSync(folder())).toEqual(['model.json']);
  });

  it('the folder is not writable', async () => {
    await new FileSystemHandler(folder()).save(artifactsOf(1, 3));
    const before = contentsOf(folder());
    chmodSync(folder(), 0o555);
    const message = await unprivileged(() => saving(good));
    chmodSync(folder(), 0o755);
    expect(message).toContain('the model cannot be written (EACCES');
    expect(contentsOf(folder())).toEqual(before);
  });
});
