import {resolve} from 'node:path';
import {io} from '@tensorflow/tfjs-core';
import {refuseOptions} from '../layer_support/options.js';
import {received} from '../util/received.js';
import {failure} from './failure.js';
import {inTurn} from './in_turn.js';
import {findModel, loadModel} from './load_model.js';
import {makeFolder, prepareSave, saveModel} from './save_model.js';

/** What can be set of a {@link FileSystemHandler}, within this package. */
export interface FileSystemSettings {
  /** The size of the largest shard, and of the largest buffer. */
  readonly shardBytes?: number;
  /** Is told what fraction of the weights has been loaded. */
  readonly onProgress?: io.OnProgressCallback;
}

const GIB = 2 ** 30;

/** What {@link fileSystem} returns. */
export class FileSystemHandler implements io.IOHandler {
  private readonly resolved: string;

  constructor(
    private readonly path: string,
    private readonly settings: FileSystemSettings = {},
  ) {
    checkPath(path);
    this.resolved = resolve(path);
  }

  async save(artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
    const {path} = this;
    const {shardBytes = GIB} = this.settings;
    const prepared = prepareSave(artifacts, shardBytes, path);
    // Not awaited, so that saves queue in the order they were called in.
    const folder = makeFolder(this.resolved, path);
    await inTurn(folder, () => saveModel(folder, prepared, path));
    return {modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts)};
  }

  async load(): Promise<io.ModelArtifacts> {
    const {file, folder} = findModel(this.resolved, this.path);
    const {shardBytes: bufferBytes = GIB, onProgress} = this.settings;
    const settings = {bufferBytes, onProgress};
    return inTurn(folder, () => loadModel(file, settings, this.path));
  }
}

/**
 * Saves models to a folder, and loads them from there, in tfjs's own format:
 * model.json, and the weights in shards beside it. tfjs-node's `file://` reads
 * what this writes, and this what that writes.
 *
 * A crash at any moment of a save leaves the model that was there before, or the
 * new one, whole. So the folder holds two models' weights for a while: those of
 * the one before are removed by the next save. Saves to one folder from one
 * process queue; the last one called is the one that stays. On a disk that
 * several machines or containers share, one at a time should save to a folder:
 * whether another's unfinished save is a leftover is told by its process.
 *
 * ```js
 * const model = tf.sequential({layers: [batchNorm({inputShape: [3]})]});
 * await model.save(fileSystem('my-model'));
 * const same = await tf.loadLayersModel(fileSystem('my-model'));
 * ```
 *
 * @param path A folder, made if there is none, or the model.json in it; to load,
 *   any file with a model.json's content.
 * @returns An IOHandler. Its `save` takes models whose topology is JSON, which
 *   are all that tf.js makes, with or without their optimizer.
 * @throws Error if `path` is no string or an empty one. Saving throws if the
 *   folder is a file or cannot be written, or if the model is incomplete; then
 *   what was there stays. Loading throws if there is no model.json, if it is
 *   malformed or names a file outside its folder, or if a weight shard is
 *   missing, too short or too long.
 */
export function fileSystem(path: string, ...none: []): io.IOHandler {
  refuseOptions(none, 'fileSystem');
  return new FileSystemHandler(path);
}

function checkPath(path: unknown): void {
  if (typeof path === 'string' && path !== '') return;
  const what = 'the path must be a string that is not empty';
  throw failure(String(path), what, received('path', path));
}
