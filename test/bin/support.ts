// The built command, in a folder with a small model: `npm run build` makes it.
import {spawn} from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {fileSystem} from 'tfjs-normalization/node';
import {expectCloseNow} from '../support/close.js';

export const ROOT = join(__dirname, '..', '..');

export const COMMAND = join(ROOT, 'dist', 'bin', 'tfjs-normalization.cjs');

/** What a command has left. */
interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Each test file has one of its own. */
export const folder = mkdtempSync(join(tmpdir(), 'command-'));

export const at = (...path: string[]): string => join(folder, ...path);

afterAll(() => rmSync(folder, {recursive: true}));

/** Makes the model that is saved in the folder `model`. */
export async function savedModel(): Promise<tf.LayersModel> {
  const model = tf.sequential({
    name: 'small',
    layers: [
      tf.layers.dense({name: 'dense', units: 3, inputShape: [2]}),
      batchNorm({name: 'norm'}),
      tf.layers.reLU({name: 'relu'}),
      tf.layers.batchNormalization({name: 'stock'}),
    ],
  });
  await model.save(fileSystem(at('model')));
  return model;
}

/** Fails if a model of one or two normalizations, in another order, predicts otherwise. */
export function expectSamePredictions(
  model: tf.LayersModel,
  other: tf.LayersModel,
  x: tf.Tensor,
): void {
  const [y, same] = [model, other].map((each) => each.predict(x) as tf.Tensor);
  expectCloseNow(y as tf.Tensor, same as tf.Tensor, {
    what: 'y',
    roundings: 8,
    scale: 2,
  });
}

/** Runs the command in the folder. */
export function run(args: string[], command = COMMAND): Promise<Ended> {
  if (!existsSync(command)) {
    throw new Error(`${command} is missing: "npm run build" makes it`);
  }
  const child = spawn(process.execPath, [command, ...args], {cwd: folder});
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({code, stdout, stderr}));
  });
}

export const parsed = (text: string): unknown => JSON.parse(text);

/** Every file below a folder, with its content. */
export function snapshot(path: string): Record<string, string> {
  const entries = readdirSync(path, {recursive: true, withFileTypes: true});
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.map((file) => [file, readFileSync(file, 'latin1')]),
  );
}
