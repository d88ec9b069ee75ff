import {type FileHandle, open, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {io} from '@tensorflow/tfjs-core';
import {received} from '../util/received.js';
import {codeOf, failure, reasonOf} from './failure.js';
import {between, bytesNeeded, type Pieces} from './weight_bytes.js';
import {lastOf} from '../util/at.js';

/** Settings for reading weights. */
export interface ReadSettings {
  /** The size of the buffers to read into. */
  readonly bufferBytes: number;
  /** Called with the fraction read so far. */
  readonly onProgress?: io.OnProgressCallback;
}

/** A file, and its range of all bytes. */
interface Shard {
  readonly file: string;
  readonly start: number;
  readonly length: number;
  /** The end of a message about it. */
  readonly received: string;
}

/** The most bytes read at once; progress is reported after each. */
const STEP = 64 * 2 ** 20;

/**
 * Reads the shards of a manifest whose paths have been checked.
 *
 * @returns One buffer or, for weights larger than `bufferBytes`, several of
 *   that size, with the rest in the last. (tfjs 4.22 reads zeros from the last
 *   of several buffers if that one is the largest.)
 * @throws Error naming `path` if a shard is missing or cannot be read, or if
 *   the shards of a group do not have the length of its weights.
 */
export async function readWeights(
  manifest: io.WeightsManifestConfig,
  folder: string,
  {bufferBytes, onProgress}: ReadSettings,
  path: string,
): Promise<io.WeightData> {
  const shards = await findShards(manifest, folder, path);
  const total = endOf(shards);
  const buffers = buffersFor(total, bufferBytes);
  const pieces = buffers.map((buffer) => new Uint8Array(buffer));
  let read = 0;
  for (const shard of shards) {
    const target = between(pieces, shard.start, shard.start + shard.length);
    await readShard(shard, target, path, (bytes) => {
      read += bytes;
      onProgress?.(read / total);
    });
  }
  if (total === 0) onProgress?.(1);
  checkLengths(manifest, shards, pieces, path);
  const [first, ...others] = buffers;
  return first !== undefined && others.length === 0 ? first : buffers;
}

async function findShards(
  manifest: io.WeightsManifestConfig,
  folder: string,
  path: string,
): Promise<Shard[]> {
  const shards: Shard[] = [];
  for (const [i, {paths}] of manifest.entries()) {
    for (const [j, name] of paths.entries()) {
      const file = join(folder, name);
      const where = received(`weightsManifest[${i}].paths[${j}]`, name);
      const length = await lengthOfFile(file, where, path);
      shards.push({file, start: endOf(shards), length, received: where});
    }
  }
  return shards;
}

function endOf(shards: readonly Shard[]): number {
  const {start, length} = lastOf(shards) ?? {start: 0, length: 0};
  return start + length;
}

async function lengthOfFile(
  file: string,
  where: string,
  path: string,
): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isFile()) return found.size;
  } catch (error) {
    const what =
      codeOf(error) === 'ENOENT'
        ? 'a weight shard is missing'
        : `a weight shard cannot be read (${reasonOf(error)})`;
    throw failure(path, what, where);
  }
  throw failure(path, 'a weight shard is not a file', where);
}

function buffersFor(total: number, size: number): ArrayBuffer[] {
  const buffers = Math.max(1, Math.ceil(total / size));
  return Array.from(
    {length: buffers},
    (_, i) => new ArrayBuffer(Math.min(size, total - i * size)),
  );
}

async function readShard(
  shard: Shard,
  target: Pieces,
  path: string,
  onRead: (bytes: number) => void,
): Promise<void> {
  const fail = (why: string): Error =>
    failure(path, `a weight shard cannot be read (${why})`, shard.received);
  const rethrow = (error: unknown): never => {
    throw fail(reasonOf(error));
  };
  const handle = await open(shard.file, 'r').catch(rethrow);
  try {
    for (const part of target.flatMap(steps)) {
      const isFull = await fill(handle, part).catch(rethrow);
      if (!isFull) throw fail('it has become shorter');
      onRead(part.length);
    }
  } finally {
    await handle.close();
  }
}

function steps(piece: Uint8Array): Uint8Array[] {
  const parts = Math.ceil(piece.length / STEP);
  return Array.from({length: parts}, (_, i) =>
    piece.subarray(i * STEP, (i + 1) * STEP),
  );
}

async function fill(handle: FileHandle, part: Uint8Array): Promise<boolean> {
  let done = 0;
  while (done < part.length) {
    const {bytesRead} = await handle.read(part, done, part.length - done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

/** Any other length means that the shards do not belong to this manifest. */
function checkLengths(
  manifest: io.WeightsManifestConfig,
  shards: readonly Shard[],
  pieces: Pieces,
  path: string,
): void {
  let next = 0;
  for (const [i, {paths, weights}] of manifest.entries()) {
    const group = shards.slice(next, (next += paths.length));
    const start = group[0]?.start ?? 0;
    const length = group.reduce((sum, shard) => sum + shard.length, 0);
    const needed = bytesNeeded(weights, between(pieces, start, start + length));
    if (length === needed) continue;
    const what = `the weight shards hold ${length} bytes where their weights need ${needed}`;
    const where = received(`weightsManifest[${i}].paths`, paths);
    throw failure(path, what, where);
  }
}
