import {util} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import type {Hdf5Attributes} from '../../keras_file/hdf5/dataset.js';
import {type Hdf5Values, writeHdf5} from '../../keras_file/hdf5/write_hdf5.js';
import {writeZip} from '../../keras_file/zip.js';
import {checkBoolean, takeOptions} from '../../layer_support/options.js';
import {checkModel, ensureBuilt} from '../graph/live_model.js';
import type {Json} from '../graph/json.js';
import {Notes} from '../../util/warnings.js';
import {AS_LISTED, readTfjs} from '../graph/tfjs_json.js';
import {MEMBERS} from './from_keras_file.js';
import {readTopology} from './read/read_model.js';
import {translateModel} from './translate/translate_model.js';
import {modelInKeras} from './write/model_in_keras.js';
import {weightsInKeras} from './write/weights_in_keras.js';
import {writeKeras} from './write/write_keras.js';

const WHO = 'toKerasFile';

/** The oldest version that the files are made for. */
const VERSION = '3.4.0';

/** The model's own group, which Keras before 3.6 needs, though it is empty. */
const OWN_WEIGHTS = new Map<string, Hdf5Attributes>([['vars', {}]]);

/** Options of {@link toKerasFile}. */
export interface ToKerasFileOptions {
  /**
   * If true, batch normalizations share statistics among the devices that Keras trains on.
   * Defaults to false.
   */
  readonly synchronized?: boolean;
}

/**
 * Writes a model as a `.keras` file, which `keras.models.load_model` of Keras 3 opens,
 * with the same predictions:
 *
 * ```js
 * const model = tf.sequential({layers: [batchNorm({inputShape: [3]})]});
 * const bytes = await toKerasFile(model);
 * console.log(String.fromCharCode(...bytes.slice(0, 2)));  // PK
 * ```
 *
 * The layers of this package become Keras's: BatchNorm becomes BatchNormalization, as
 * tf.js's own layer does, InstanceNorm a GroupNormalization with a group for each channel,
 * and so on. What Keras does not have is refused by name, as is anything that it would
 * compute differently. Options that act only in training and that Keras lacks are left
 * out with a warning; `renorm` needs Keras 3.14 or later. A layer that several of the
 * models share becomes one for each, with a warning: Keras cannot load it otherwise. The
 * file has no optimizer: compile the model in Keras.
 *
 * @param options `synchronized` (false): if true, batch normalizations share statistics
 *   among the devices of `tf.distribute`. Keras refuses it on PyTorch, and on JAX,
 *   where they share them anyway.
 * @return The file's bytes.
 * @throws Error if an option is unknown or `synchronized` is not a boolean; or naming the
 *   layer and the option that Keras does not have.
 */
export async function toKerasFile(
  model: LayersModel,
  options: ToKerasFileOptions = {},
): Promise<Uint8Array> {
  checkModel(model, WHO);
  const checks = {synchronized: checkBoolean};
  const {synchronized = false} = takeOptions(options, checks, WHO);
  ensureBuilt(model);
  const notes = new Notes(WHO);
  const json = model.toJSON(null, false) as unknown as Json;
  const graph = readTfjs(json, {model, order: AS_LISTED});
  const inKeras = modelInKeras(graph, model, {synchronized, notes});
  const config = writeKeras(inKeras);
  checkReadable(config);
  const datasets = new Map<string, Hdf5Values>();
  for (const {path, shape, read, isMade} of weightsInKeras(inKeras)) {
    const tensor = read();
    const values = (await tensor.data()) as Float32Array | Int32Array;
    if (isMade) tensor.dispose();
    datasets.set(path, {shape, values});
  }
  notes.warn();
  const encoded = (value: unknown): Uint8Array =>
    util.encodeString(JSON.stringify(value));
  return writeZip(
    new Map([
      [
        MEMBERS.metadata,
        encoded({keras_version: VERSION, date_saved: dateNow()}),
      ],
      [MEMBERS.config, encoded(config)],
      [MEMBERS.weights, writeHdf5(datasets, OWN_WEIGHTS)],
    ]),
  );
}

/**
 * Refuses a model that Keras would compute differently than tf.js does, as reading it
 * back would: for example, one whose masks tf.js passes on differently.
 */
function checkReadable(config: Json): void {
  const topology = {keras_version: VERSION, model_config: config};
  const file = readTopology(topology, WHO);
  // Its warnings would be for a file that the user has not written.
  translateModel(file, {hasWeights: true, notes: new Notes(WHO)});
}

/** As Keras writes it. */
function dateNow(): string {
  return new Date().toISOString().slice(0, 19).replace('T', '@');
}
