import {realpathSync, statSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {io} from '@tensorflow/tfjs-core';
import {received} from '../util/received.js';
import {codeOf, failure, reasonOf} from './failure.js';
import {MODEL_JSON, readModelJson} from './model_json.js';
import {type ReadSettings, readWeights} from './read_weights.js';

/** The most attempts to load while other processes save. */
const ATTEMPTS = 5;

/**
 * Finds the model.json that an absolute path stands for, and the real name of
 * its folder.
 *
 * @throws Error naming `path` if there is none.
 */
export function findModel(
  resolved: string,
  path: string,
): {file: string; folder: string} {
  const isFolder = kindOf(resolved, path) === 'folder';
  const file = isFolder ? join(resolved, MODEL_JSON) : resolved;
  if (kindOf(file, path) === 'file') {
    return {file, folder: realpathSync(dirname(file))};
  }
  const what = `the ${MODEL_JSON} is not a file`;
  throw failure(path, what, received('path', path));
}

/**
 * Loads the model that a model.json describes.
 *
 * @throws Error naming `path` if the model.json is malformed, or if weights are
 *   missing.
 */
export async function loadModel(
  file: string,
  settings: ReadSettings,
  path: string,
): Promise<io.ModelArtifacts> {
  for (let attempt = 1; ; attempt++) {
    const text = await readText(file, path);
    try {
      return await assemble(text, dirname(file), settings, path);
    } catch (error) {
      // If another process has saved twice meanwhile, these shards are gone,
      // and there is a new model.
      const isSame = (await readText(file, path)) === text;
      if (isSame || attempt === ATTEMPTS) throw error;
    }
  }
}

function assemble(
  text: string,
  folder: string,
  settings: ReadSettings,
  path: string,
): Promise<io.ModelArtifacts> {
  const json = readModelJson(text, path);
  return io.getModelArtifactsForJSON(json, async (manifest) => [
    io.getWeightSpecs(manifest),
    await readWeights(manifest, folder, settings, path),
  ]);
}

function kindOf(file: string, path: string): 'file' | 'folder' | 'other' {
  try {
    const found = statSync(file);
    if (found.isDirectory()) return 'folder';
    return found.isFile() ? 'file' : 'other';
  } catch (error) {
    throw failure(path, whyNotFound(error, file), received('path', path));
  }
}

function whyNotFound(error: unknown, file: string): string {
  return codeOf(error) === 'ENOENT'
    ? `there is no ${file}`
    : `the model cannot be read (${reasonOf(error)})`;
}

async function readText(file: string, path: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const what = `the ${MODEL_JSON} cannot be read (${reasonOf(error)})`;
    throw failure(path, what, received('path', path));
  }
}
