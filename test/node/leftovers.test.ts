import {spawnSync} from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import {join} from 'node:path';
import {threadId} from 'node:worker_threads';
import {FileSystemHandler} from '../../src/node/file_system.js';
import {
  artifactsOf,
  bytesOf,
  messageOf,
  readJson,
  useFolder,
} from './support.js';

const folder = useFolder();

/** The id of a process that has ended, like a killed one. */
const ENDED = spawnSync(process.execPath, ['-e', '']).pid;
const OWN = `${process.pid}.${threadId}`;
const RANDOM = '0123456789abcdef';

function save(value: number, path = folder()): Promise<unknown> {
  return new FileSystemHandler(path).save(artifactsOf(value, 100));
}

async function load(path = folder()): Promise<unknown> {
  const artifacts = await new FileSystemHandler(path).load();
  const {value} = artifacts.modelTopology as {value: number};
  // Its own weights, not another model's.
  expect(bytesOf(artifacts.weightData)).toEqual(
    bytesOf(artifactsOf(value, 100).weightData),
  );
  return value;
}

function leave(names: string[]): void {
  for (const name of names) writeFileSync(join(folder(), name), 'left');
}

function shardsOf(file: string): string[] {
  return readJson(file).weightsManifest.flatMap(({paths}) => paths);
}

function filesBeside(names: string[]): string[] {
  return readdirSync(folder())
    .filter((name) => !names.includes(name))
    .sort();
}

describe('leftovers', () => {
  it('are removed by the next save, with the shards of the old model', async () => {
    const file = join(folder(), 'model.json');
    await save(1);
    const first = shardsOf(file);
    leave([
      `weights-${ENDED}.0-${RANDOM}-1of1.bin`,
      `weights-${ENDED}.3-${RANDOM}-10of12.bin`,
      `weights-${OWN}-${RANDOM}-1of1.bin`,
      `model-${ENDED}.0-${RANDOM}.json.tmp`,
      `model-${OWN}-${RANDOM}.json.tmp`,
    ]);
    await save(2);
    const second = shardsOf(file);
    // A reader may still use the first one.
    expect(filesBeside(['model.json'])).toEqual([...first, ...second].sort());
    await save(3);
    expect(filesBeside(['model.json'])).toEqual(
      [...second, ...shardsOf(file)].sort(),
    );
    expect(await load()).toBe(3);
  });

  it('do not include these files', async () => {
    const others = [
      'weights.bin',
      'group1-shard1of1.bin',
      'weights-mine.bin',
      `weights-${ENDED}.0-${RANDOM}-1of1.bin.bak`,
      `my-weights-${ENDED}.0-${RANDOM}-1of1.bin`,
      `weights-${ENDED}.0-0123-1of1.bin`,
      `model-${ENDED}.0-${RANDOM}.json`,
      'model.json.tmp',
      // Another running process, or another thread, may be writing it.
      `weights-${process.ppid}.0-${RANDOM}-1of1.bin`,
      `model-${process.ppid}.0-${RANDOM}.json.tmp`,
      `weights-${process.pid}.${threadId + 1}-${RANDOM}-1of1.bin`,
    ];
    leave(others);
    await save(1);
    await save(2);
    expect(readdirSync(folder())).toEqual(expect.arrayContaining(others));
  });

  it('do not include a process of another user', async () => {
    jest.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error(), {code: 'EPERM'});
    });
    const name = `weights-${ENDED}.0-${RANDOM}-1of1.bin`;
    leave([name]);
    await save(1);
    expect(readdirSync(folder())).toContain(name);
  });

  it('do not include the files of a model.json being edited', async () => {
    const name = `weights-${ENDED}.0-${RANDOM}-1of1.bin`;
    leave([name]);
    const weightsManifest = [{paths: [`./${name}`], weights: []}];
    const json = {modelTopology: {}, weightsManifest};
    writeFileSync(join(folder(), 'model.json'), JSON.stringify(json));
    await save(1);
    expect(readdirSync(folder())).toContain(name);
    await save(2);
    expect(readdirSync(folder())).not.toContain(name);
  });

  it('stay while the model.json cannot be read: it may be repaired', async () => {
    const name = `weights-${ENDED}.0-${RANDOM}-1of1.bin`;
    leave([name]);
    writeFileSync(join(folder(), 'model.json'), '{"modelTopology": {},');
    await save(1);
    expect(readdirSync(folder())).toContain(name);
  });

  it('that cannot be removed do not stop a save', async () => {
    mkdirSync(join(folder(), `weights-${ENDED}.0-${RANDOM}-1of1.bin`));
    await save(1);
    expect(await load()).toBe(1);
  });
});

describe('at the same time', () => {
  it('several saves leave the one called last', async () => {
    const values = Array.from({length: 12}, (_, i) => i);
    await Promise.all(values.map((value) => save(value)));
    expect(await load()).toBe(11);
  });

  it('they may reach the folder by different paths', async () => {
    const path = join(folder(), 'model');
    mkdirSync(path);
    symlinkSync(path, join(folder(), 'link'));
    const paths = [path, join(folder(), 'link'), join(path, 'model.json')];
    await Promise.all(
      Array.from({length: 12}, (_, i) => save(i, paths[i % 3])),
    );
    expect(await load(path)).toBe(11);
  });

  it('a load finds one model, whole', async () => {
    await save(0);
    const values = Array.from({length: 8}, (_, i) => i + 1);
    const work = values.flatMap((value) => [save(value), load()]);
    await Promise.all(work);
    // A load called between two saves runs between them.
    const loaded = await Promise.all(work.filter((_, i) => i % 2 === 1));
    expect(loaded).toEqual(values);
  });

  it('a save that fails does not stop the next', async () => {
    const bad = {...artifactsOf(1, 3), weightData: new ArrayBuffer(1)};
    const [first, second, third] = [
      save(1),
      messageOf(new FileSystemHandler(folder()).save(bad)),
      save(2),
    ];
    await first;
    expect(await second).toContain('weightData has 1 bytes');
    await third;
    expect(await load()).toBe(2);
  });
});

describe('while another process saves', () => {
  const isShard = (name: string): boolean => name.endsWith('.bin');

  /** Acts like two saves: the model is new, and the old shards are gone. */
  function replaceModel(value: number): void {
    for (const name of readdirSync(folder()).filter(isShard)) {
      rmSync(join(folder(), name));
    }
    const {
      modelTopology,
      weightSpecs: weights,
      weightData,
    } = artifactsOf(value, 100);
    const paths = [`weights-${value}.bin`];
    const json = {modelTopology, weightsManifest: [{paths, weights}]};
    writeFileSync(join(folder(), 'model.json'), JSON.stringify(json));
    const bytes = new Uint8Array(weightData as ArrayBuffer);
    writeFileSync(join(folder(), paths[0] ?? ''), bytes);
  }

  it('a load that finds its shards gone takes the new model', async () => {
    const {stat} = fs;
    jest.spyOn(fs, 'stat').mockImplementationOnce((path) => {
      replaceModel(2);
      return stat(path);
    });
    await save(1);
    expect(await load()).toBe(2);
  });

  it('a load gives up if that happens repeatedly', async () => {
    const {stat} = fs;
    let value = 1;
    jest.spyOn(fs, 'stat').mockImplementation((path) => {
      replaceModel(++value);
      return stat(path);
    });
    await save(1);
    expect(await messageOf(load())).toContain('a weight shard is missing');
    expect(value).toBe(6);
  });
});
