import {isObject} from '../util/is_object.js';
import {posix, win32} from 'node:path';
import type {io} from '@tensorflow/tfjs-core';
import {received} from '../util/received.js';
import {failure, reasonOf} from './failure.js';
import {isStorable} from './weight_bytes.js';

type Json = Readonly<Record<string, unknown>>;

/** The name of the file that describes a model in its folder. */
export const MODEL_JSON = 'model.json';

const EXCERPT = 60;

/** Written only if the model has them, as in tfjs. */
const OPTIONAL = [
  'trainingConfig',
  'userDefinedMetadata',
  'signature',
  'modelInitializer',
  'initializerSignature',
] as const;

/**
 * Returns the text of the model.json of a model whose weights are in the files
 * `paths`.
 *
 * @throws Error naming `path` if the model cannot be written as JSON.
 */
export function writeModelJson(
  artifacts: io.ModelArtifacts,
  paths: string[],
  path: string,
): string {
  const {modelTopology, format, generatedBy, convertedBy} = artifacts;
  const {weightSpecs: weights} = artifacts;
  const present = OPTIONAL.filter((name) => artifacts[name] != null);
  try {
    return JSON.stringify({
      modelTopology,
      format,
      generatedBy,
      convertedBy,
      weightsManifest: [{paths, weights}],
      ...Object.fromEntries(present.map((name) => [name, artifacts[name]])),
    });
  } catch (error) {
    const what = `the model cannot be written as JSON (${reasonOf(error)})`;
    throw failure(path, what, received('modelArtifacts', artifacts));
  }
}

/**
 * Reads a model.json, and checks the parts that decide which bytes are loaded.
 *
 * @throws Error naming `path` if it is not JSON, lacks a topology or a weights
 *   manifest, if the manifest is malformed, or if it names a file outside the
 *   model's folder.
 */
export function readModelJson(text: string, path: string): io.ModelJSON {
  const json = parse(text, path);
  const keys = received('keys', Object.keys(json));
  if (!isObject(json.modelTopology)) {
    throw failure(path, 'the model.json has no modelTopology', keys);
  }
  const manifest = json.weightsManifest;
  if (!Array.isArray(manifest)) {
    throw failure(path, 'the model.json has no weightsManifest', keys);
  }
  manifest.forEach((group, i) =>
    checkGroup(group, `weightsManifest[${i}]`, path),
  );
  return json as unknown as io.ModelJSON;
}

/**
 * Checks the description of one weight.
 *
 * @throws Error naming `path` and the entry if its name, shape or dtype is
 *   invalid.
 */
export function checkSpec(entry: unknown, name: string, path: string): void {
  if (isObject(entry)) {
    const {name: weight, shape, dtype, quantization} = entry;
    const stored = isObject(quantization) ? quantization.dtype : dtype;
    if (typeof weight === 'string' && isShape(shape) && isStorable(stored)) {
      return;
    }
  }
  const what = `${name} is not the name, shape and dtype of a weight`;
  throw failure(path, what, received(name, entry));
}

function parse(text: string, path: string): Json {
  const excerpt = received('model.json', text.slice(0, EXCERPT));
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw failure(path, 'the model.json is not JSON', excerpt);
  }
  if (isObject(json)) return json;
  throw failure(path, 'the model.json is not an object', excerpt);
}

function checkGroup(group: unknown, name: string, path: string): void {
  const {paths, weights} = isObject(group) ? group : {};
  if (!Array.isArray(paths) || !Array.isArray(weights)) {
    const what = `${name} is not a list of paths and a list of weights`;
    throw failure(path, what, received(name, group));
  }
  paths.forEach((file, i) => checkFile(file, `${name}.paths[${i}]`, path));
  weights.forEach((entry, i) =>
    checkSpec(entry, `${name}.weights[${i}]`, path),
  );
}

/** A model.json from elsewhere must not reach other files. */
function checkFile(file: unknown, name: string, path: string): void {
  if (typeof file === 'string' && file !== '' && staysInFolder(file)) return;
  const what = `${name} is not a file in the model's folder`;
  throw failure(path, what, received(name, file));
}

function staysInFolder(file: string): boolean {
  // The same check on every system: both slashes, and drives.
  if (win32.parse(file).root !== '') return false;
  const parts = posix.normalize(file.replaceAll('\\', '/')).split('/');
  return parts[0] !== '..';
}

function isShape(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((length) => Number.isSafeInteger(length) && length >= 0)
  );
}
