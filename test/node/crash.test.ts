import callbacks, {readdirSync} from 'node:fs';
import fs, {type FileHandle} from 'node:fs/promises';
import {FileSystemHandler} from '../../src/node/file_system.js';
import {artifactsOf, bytesOf, messageOf, useFolder} from './support.js';

const folder = useFolder();

type Step = (this: unknown, ...args: unknown[]) => Promise<unknown>;

/**
 * Makes calls that change or flush the disk fail, if `fails` returns true for
 * their number.
 *
 * @returns The number of calls so far.
 */
async function failSteps(
  fails: (step: number) => boolean,
): Promise<() => number> {
  const handle = await fs.open(folder(), 'r');
  const methods = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  let asked = 0;
  const limit = <K extends string>(owner: Record<K, Step>, name: K): void => {
    const original = owner[name];
    const limited: Step = function (...args) {
      asked++;
      return fails(asked)
        ? Promise.reject(new Error(`no step ${asked}`))
        : original.apply(this, args);
    };
    jest.spyOn(owner as Record<string, Step>, name).mockImplementation(limited);
  };
  for (const name of ['open', 'rename', 'rm'] as const) {
    limit(fs as unknown as Record<typeof name, Step>, name);
  }
  limit(methods as unknown as Record<'writeFile', Step>, 'writeFile');
  const {fsync} = callbacks;
  jest.spyOn(callbacks, 'fsync').mockImplementation((file, done) => {
    asked++;
    if (fails(asked)) done(new Error(`no step ${asked}`));
    else fsync(file, done);
  });
  return () => asked;
}

async function loadedValue(): Promise<number> {
  const artifacts = await new FileSystemHandler(folder()).load();
  const {value} = artifacts.modelTopology as {value: number};
  expect(bytesOf(artifacts.weightData)).toEqual(
    bytesOf(artifactsOf(value, 10 * value).weightData),
  );
  return value;
}

const SHARDS = {shardBytes: 50};

/** Saves 3 over 2, where 1 has left a shard. */
async function saveFailing(
  fails: (step: number) => boolean,
): Promise<{message: string; asked: number}> {
  await new FileSystemHandler(folder(), SHARDS).save(artifactsOf(1, 10));
  await new FileSystemHandler(folder(), SHARDS).save(artifactsOf(2, 20));
  const asked = await failSteps(fails);
  const message = await messageOf(
    new FileSystemHandler(folder(), SHARDS).save(artifactsOf(3, 30)),
  );
  jest.restoreAllMocks();
  return {message, asked: asked()};
}

// One leftover shard is removed; three shards and a model.json are opened,
// written and flushed; the folder is opened and flushed, for the first time.
const BEFORE_RENAME = 1 + 4 * 3 + 2;
const STEPS = BEFORE_RENAME + 1 + 2;

describe('a save that ends', () => {
  it('has these steps', async () => {
    expect(await saveFailing(() => false)).toEqual({
      message: 'it went well',
      asked: STEPS,
    });
    expect(await loadedValue()).toBe(3);
  });

  it('after any step leaves the old model or the new one', async () => {
    for (let last = 0; last < STEPS; last++) {
      // As if the process had died: nothing after this step reaches the disk.
      await saveFailing((step) => step > last);
      expect(await loadedValue()).toBe(last > BEFORE_RENAME ? 3 : 2);
    }
  });

  it('by an error at any step does the same', async () => {
    for (let bad = 1; bad <= STEPS; bad++) {
      const {message} = await saveFailing((step) => step === bad);
      // The first step removes a leftover, which can wait.
      const isHarmless = bad === 1;
      expect(message).toContain(
        isHarmless ? 'it went well' : `(no step ${bad})`,
      );
      const isDone = isHarmless || bad > BEFORE_RENAME + 1;
      expect(await loadedValue()).toBe(isDone ? 3 : 2);
    }
  });

  it('succeeds where the system cannot flush a folder', async () => {
    const {open} = fs;
    jest
      .spyOn(fs, 'open')
      .mockImplementation((path, flags) =>
        flags === 'r'
          ? Promise.reject(Object.assign(new Error(), {code: 'EPERM'}))
          : open(path, flags),
      );
    await new FileSystemHandler(folder()).save(artifactsOf(3, 30));
    jest.restoreAllMocks();
    expect(await loadedValue()).toBe(3);
  });

  it('by an error reports it, and removes its own files', async () => {
    await new FileSystemHandler(folder()).save(artifactsOf(2, 20));
    const before = readdirSync(folder());
    jest.spyOn(fs, 'rename').mockRejectedValue(new Error('no\nspace.'));
    const message = await messageOf(
      new FileSystemHandler(folder()).save(artifactsOf(3, 30)),
    );
    expect(message).toBe(
      `fileSystem ${folder()}: the model cannot be written (no space). ` +
        `Received: path=${JSON.stringify(folder())}`,
    );
    expect(readdirSync(folder())).toEqual(before);
    expect(await loadedValue()).toBe(2);
  });
});
