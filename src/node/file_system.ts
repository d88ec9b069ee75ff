import {resolve} from 'node:path';
import {io} from '@tensorflow/tfjs-core';
import {refuseOptions} from '../layer_support/options.js';
import {received} from '../util/received.js';
import {failure} from './failure.js';
import {inTurn} from './in_turn.js';
import {findModel, loadModel} from './load_model.js';
import {makeFolder, prepareSave, saveModel} from './save_model.js';

/** Settings of a {@link FileSystemHandler}, used only within this package. */
export interface FileSystemSettings {
  /** The size of the largest shard, and of the largest buffer. */
  readonly shardBytes?: number;
  /** Called with the fraction of the weights loaded so far. */
  readonly onProgress?: io.OnProgressCallback;
}

const GIB = 2 ** 30;

/** The handler that {@link fileSystem} returns. */
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
    // Not awaited, so that saves queue in the order of their calls.
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
 * model.json, and the weights in shards beside it. It is compatible with
 * tfjs-node's `file://` in both directions.
 *
 * A crash at any moment of a save leaves the old model or the new one, whole.
 * So the folder holds two models' weights for a while: the next save removes
 * the old ones. Saves to one folder from one process queue; the last one called
 * wins. On a disk that several machines or containers share, only one at a time
 * should save to a folder: a save recognizes leftovers by their process, which
 * must run on the same machine.
 *
 * ```js
 * const model = tf.sequential({layers: [batchNorm({inputShape: [3]})]});
 * await model.save(fileSystem('my-model'));
 * const same = await tf.loadLayersModel(fileSystem('my-model'));
 * ```
 *
 * @param path A folder, made if missing, or the model.json in it; to load, any
 *   file with a model.json's content.
 * @returns An IOHandler. Its `save` takes models whose topology is JSON, as of
 *   all models that tf.js makes, with or without their optimizer.
 * @throws Error if `path` is not a non-empty string. Saving throws if the
 *   folder is a file or cannot be written, or if the model is incomplete; then
 *   the old model stays. Loading throws if there is no model.json, if it is
 *   malformed or names a file outside its folder, or if a weight shard is
 *   missing, too short or too long.
 */
export function fileSystem(path: string, ...none: []): io.IOHandler {
  refuseOptions(none, 'fileSystem');
  return new FileSystemHandler(path);
}

function checkPath(path: unknown): void {
  if (typeof path === 'string' && path !== '') return;
  const what = 'the path must be a non-empty string';
  throw failure(String(path), what, received('path', path));
}
