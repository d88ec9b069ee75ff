import {realpathSync, statSync} from 'node:fs';
import {readdir, readFile, rename} from 'node:fs/promises';
import {basename, dirname, join, normalize} from 'node:path';
import type {io} from '@tensorflow/tfjs-core';
import {received} from '../util/received.js';
import {removeFiles, syncFolder, writeNew} from './durable.js';
import {codeOf, failure, reasonOf} from './failure.js';
import {makeFolders} from './make_folders.js';
import {
  checkSpec,
  MODEL_JSON,
  readModelJson,
  writeModelJson,
} from './model_json.js';
import {isAbandoned, newNames} from './names.js';
import {
  bytesNeeded,
  cutIntoShards,
  lengthOf,
  type Pieces,
  piecesOf,
} from './weight_bytes.js';

/** Everything that a save is going to write. */
export interface PreparedSave {
  /** The name to write each file under, and its content. */
  readonly files: ReadonlyArray<readonly [name: string, content: Pieces]>;
  /** The name of the file that becomes model.json when all are written. */
  readonly temporary: string;
}

/**
 * Checks that a model can be saved whole, before anything is written, and
 * returns the files to write.
 *
 * @throws Error naming `path` if the model's topology is not JSON, or if its
 *   weights are missing or do not have the length that their specs give.
 */
export function prepareSave(
  artifacts: io.ModelArtifacts,
  shardBytes: number,
  path: string,
): PreparedSave {
  checkTopology(artifacts.modelTopology, path);
  const shards = cutIntoShards(checkWeights(artifacts, path), shardBytes);
  const {shardName, temporary} = newNames(shards.length);
  const files = shards.map((shard, i) => [shardName(i), shard] as const);
  const paths = files.map(([name]) => name);
  const text = writeModelJson(artifacts, paths, path);
  return {files: [...files, [temporary, [Buffer.from(text)]]], temporary};
}

/**
 * Returns the folder that an absolute path stands for: itself, or the folder of
 * the model.json that it names. Makes the folder if missing.
 *
 * @returns The folder's real name, whatever the path.
 * @throws Error naming `path` if a file is in the way, or it cannot be made.
 */
export function makeFolder(resolved: string, path: string): string {
  try {
    const folder = folderOf(resolved);
    makeFolders(folder);
    return realpathSync(folder);
  } catch (error) {
    const isFile = ['EEXIST', 'ENOTDIR'].includes(codeOf(error));
    const what = isFile
      ? 'a model is saved in a folder, and this is a file or below one'
      : `the folder cannot be made (${reasonOf(error)})`;
    throw failure(path, what, received('path', path));
  }
}

/**
 * Saves a model so that any reader, even after a crash, finds the old model or
 * the new one: the new shards get names of their own, and once everything is on
 * the disk, a single rename replaces the old model. Its shards are left to the
 * next save, since a reader may still use them.
 *
 * @throws Error naming `path` if something cannot be written; then the old
 *   model is unchanged.
 */
export async function saveModel(
  folder: string,
  {files, temporary}: PreparedSave,
  path: string,
): Promise<void> {
  try {
    await removeLeftovers(folder);
    for (const [name, content] of files) {
      await writeNew(join(folder, name), content);
    }
    // The shards' names must be on the disk before the model.json that needs
    // them.
    await syncFolder(folder);
    await rename(join(folder, temporary), join(folder, MODEL_JSON));
  } catch (error) {
    await removeFiles(files.map(([name]) => join(folder, name)));
    throw cannotWrite(error, path);
  }
  await syncFolder(folder).catch((error: unknown) => {
    throw cannotWrite(error, path);
  });
}

function folderOf(resolved: string): string {
  if (basename(resolved) !== MODEL_JSON) return resolved;
  const found = statSync(resolved, {throwIfNoEntry: false});
  return found?.isDirectory() === true ? resolved : dirname(resolved);
}

function cannotWrite(error: unknown, path: string): Error {
  const what = `the model cannot be written (${reasonOf(error)})`;
  return failure(path, what, received('path', path));
}

function checkTopology(topology: unknown, path: string): void {
  const isBinary = piecesOf(topology) !== undefined;
  if (typeof topology === 'object' && topology !== null && !isBinary) return;
  const what = 'only a model whose topology is JSON can be saved';
  const kind = isBinary ? 'bytes' : topology;
  throw failure(path, what, received('modelTopology', kind));
}

function checkWeights(artifacts: io.ModelArtifacts, path: string): Pieces {
  const {weightSpecs, weightData} = artifacts;
  const pieces = piecesOf(weightData);
  if (!Array.isArray(weightSpecs) || pieces === undefined) {
    const what = 'a model is saved with its weightSpecs and weightData';
    const keys = Object.keys(artifacts);
    throw failure(path, what, received('modelArtifacts', keys));
  }
  weightSpecs.forEach((spec, i) => checkSpec(spec, `weightSpecs[${i}]`, path));
  const needed = bytesNeeded(weightSpecs, pieces);
  const length = lengthOf(pieces);
  if (length === needed) return pieces;
  const what = `weightData has ${length} bytes where weightSpecs need ${needed}`;
  throw failure(path, what, received('weightData.byteLength', length));
}

/** Removes the leftovers of earlier saves. */
async function removeLeftovers(folder: string): Promise<void> {
  const abandoned = (await readdir(folder)).filter(isAbandoned);
  if (abandoned.length === 0) return;
  const isInUse = await filesInUse(folder);
  const leftovers = abandoned.filter((name) => !isInUse(name));
  await removeFiles(leftovers.map((name) => join(folder, name)));
}

async function filesInUse(folder: string): Promise<(name: string) => boolean> {
  const file = join(folder, MODEL_JSON);
  try {
    const json = readModelJson(await readFile(file, 'utf8'), file);
    const used = json.weightsManifest.flatMap(({paths}) => paths);
    const names = new Set(used.map((name) => normalize(name)));
    return (name) => names.has(name);
  } catch (error) {
    // An unreadable model.json may be repaired, and need its shards.
    return () => codeOf(error) !== 'ENOENT';
  }
}
