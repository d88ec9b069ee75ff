import {once} from 'node:events';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as delay} from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-normalization/node';
import {FileSystemHandler} from '../../src/node/file_system.js';
import {requireBuild, start} from './child.js';
import {makeModel, predictions, readJson, useFolder} from './support.js';

const KILLS = 40;
const AHEAD = 3;

const folder = useFolder();
beforeAll(requireBuild);

/** Starts a process that waits to save `a` and `b` alternately to `target`. */
function startSaver(paths: string[]): {
  go: () => Promise<number>;
  kill: () => Promise<void>;
} {
  const child = start('save_forever.cjs', paths);
  const {stdin, stdout} = child;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  return {
    /** Resolves to the time of the first save, in milliseconds. */
    go: async () => {
      stdin.write('go');
      const [line] = (await once(createInterface(stdout), 'line')) as [string];
      return Number(line);
    },
    kill: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
    },
  };
}

function shardsOf(path: string): string[] {
  const {weightsManifest} = readJson(join(path, 'model.json'));
  return weightsManifest.flatMap(({paths}) => paths);
}

async function stateOf(path: string): Promise<string> {
  const {modelTopology, weightData} = await new FileSystemHandler(path).load();
  const weights = Buffer.from(weightData as ArrayBuffer).toString('base64');
  return JSON.stringify(modelTopology) + weights;
}

describe('a process that is killed while it saves', () => {
  it(`leaves one model, whole, each of ${KILLS} times`, async () => {
    const paths = ['a', 'b', 'target'].map((name) => join(folder(), name));
    const [a = '', b = '', target = ''] = paths;
    const models = [makeModel(3000), makeModel(5000)] as const;
    await models[0].save(fileSystem(a));
    await models[1].save(fileSystem(b));
    await models[0].save(fileSystem(target));
    const states = [await stateOf(a), await stateOf(b)];

    const found = new Set<number>();
    const left = new Set<number>();
    // The next processes start up while one runs.
    const waiting = Array.from({length: AHEAD}, () => startSaver(paths));
    for (let i = 0; i < KILLS; i++) {
      if (i + AHEAD < KILLS) waiting.push(startSaver(paths));
      const {go, kill} = waiting.shift() ?? startSaver(paths);
      const milliseconds = await go();
      // Spread evenly over two saves.
      await delay((2 * milliseconds * i) / KILLS);
      await kill();
      found.add(states.indexOf(await stateOf(target)));
      left.add(readdirSync(target).length - shardsOf(target).length);
    }
    expect([...found].sort()).toEqual([0, 1]);
    // More states than after whole saves of a and b: some were killed in
    // between.
    expect(left.size).toBeGreaterThan(2);

    const loaded = await tf.loadLayersModel(fileSystem(target));
    const which = states.indexOf(await stateOf(target));
    expect(predictions(loaded)).toEqual(predictions(models[which as 0 | 1]));
    // The next save removes all leftovers, except those of the model before.
    const before = shardsOf(target);
    await models[0].save(fileSystem(target));
    expect(readdirSync(target).sort()).toEqual(
      ['model.json', ...before, ...shardsOf(target)].sort(),
    );
  });
});
