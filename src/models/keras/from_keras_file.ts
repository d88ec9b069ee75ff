import {type io, util} from '@tensorflow/tfjs-core';
import {type LayersModel, loadLayersModel} from '@tensorflow/tfjs-layers';
import {FAMILY} from '../../../layers/family.js';
import {readHdf5} from '../../keras_file/hdf5/read_hdf5.js';
import {type Hdf5Dataset, values} from '../../keras_file/hdf5/dataset.js';
import {readZip} from '../../keras_file/zip.js';
import {refuseOptions} from '../../layer_support/options.js';
import {keepRegistered} from '../../layer_support/registration.js';
import {readLocal} from '../../node/read_local.js';
import {fetchBytes} from '../../util/fetch_bytes.js';
import {isObject} from '../../util/is_object.js';
import {reasonOf} from '../../util/reason_of.js';
import {refusal} from '../../util/received.js';
import type {Json} from '../graph/json.js';
import {translateFile} from './from_keras.js';

/** A file: its bytes, or the URL of it; in Node a path, too. */
export type FileSource = Uint8Array | ArrayBuffer | Blob | URL | string;

const WHO = 'fromKerasFile';

/** URLs that are fetched everywhere. */
const FETCHED = /^(https?|data|blob):/i;

/** The members of a `.keras` file. */
export const MEMBERS = {
  metadata: 'metadata.json',
  config: 'config.json',
  weights: 'model.weights.h5',
} as const;

/** The state of an optimizer, which is not loaded. */
const OPTIMIZER = 'optimizer/';

/**
 * Loads a `.keras` file of Keras 3 onto the layers of this package:
 *
 * ```js
 * const bytes = await toKerasFile(tf.sequential({
 *   layers: [batchNorm({inputShape: [3]})],
 * }));
 * const model = await fromKerasFile(bytes);
 * console.log(model.layers[1].getClassName());  // BatchNorm, after the input
 * ```
 *
 * Sequential, functional and nested models load, with shared layers, several inputs and
 * outputs, and every layer that both sides have; the rules are those of `fromKeras`. The
 * model is not compiled: the file's optimizer, losses and metrics are left out.
 *
 * Nothing is half loaded: a model that tf.js cannot build, a layer without its weights, a
 * weight without its layer, and a damaged file are errors, and no tensor stays.
 *
 * @param source The file's bytes, a Blob, a URL as an object or a string; in Node also a
 *   path.
 * @return The model, as `tf.loadLayersModel` returns it.
 * @throws Error if the source cannot be read or is not a `.keras` file; or naming the layer
 *   and the option that tf.js does not have, or the weight that is missing, left over or of
 *   another shape.
 */
export async function fromKerasFile(
  source: FileSource,
  ...none: []
): Promise<LayersModel> {
  refuseOptions(none, WHO);
  // A file may have layers that the program does not name.
  keepRegistered(FAMILY);
  const artifacts = artifactsIn(await readSource(source));
  const translated = await translateFile(artifacts, WHO);
  return loadLayersModel({load: () => Promise.resolve(translated)});
}

/**
 * Reads the bytes of a file.
 *
 * @throws Error if the source is of another kind, or cannot be read.
 */
async function readSource(source: FileSource): Promise<Uint8Array> {
  if (ArrayBuffer.isView(source)) {
    const {buffer, byteOffset, byteLength} = source;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  if (isBuffer(source)) return new Uint8Array(source);
  if (typeof Blob !== 'undefined' && source instanceof Blob) {
    return new Uint8Array(await source.arrayBuffer());
  }
  const isUrl = typeof URL !== 'undefined' && source instanceof URL;
  if ((typeof source !== 'string' || source === '') && !isUrl) {
    const what = 'the source must be bytes, a Blob, a URL or, in Node, a path';
    throw refusal(WHO, what, 'source', source);
  }
  const place = String(source);
  try {
    return FETCHED.test(place)
      ? await fetchBytes(place)
      : await readLocal(place);
  } catch (error) {
    const what = `the file cannot be read (${reasonOf(error)})`;
    throw refusal(WHO, what, 'source', place);
  }
}

/** Also of another realm, as under jest. */
function isBuffer(source: unknown): source is ArrayBuffer {
  return Object.prototype.toString.call(source) === '[object ArrayBuffer]';
}

/** Reads a file as the artifacts of a model.json of Keras 3. */
function artifactsIn(bytes: Uint8Array): io.ModelArtifacts {
  const members = readZip(bytes, WHO);
  const metadata = jsonIn(members, MEMBERS.metadata);
  const config = jsonIn(members, MEMBERS.config);
  const {datasets} = readHdf5(memberOf(members, MEMBERS.weights), WHO);
  const weightSpecs: io.WeightsManifestEntry[] = [];
  const weightData: ArrayBuffer[] = [];
  for (const [name, dataset] of datasets) {
    if (name.startsWith(OPTIMIZER)) continue;
    const {dtype, numbers} = numbersIn(dataset);
    weightSpecs.push({name, shape: [...dataset.shape], dtype});
    weightData.push(numbers.buffer as ArrayBuffer);
  }
  return {
    modelTopology: {
      keras_version: versionIn(metadata),
      model_config: config,
    },
    weightSpecs,
    weightData,
  };
}

function versionIn({keras_version: version}: Json): string {
  if (typeof version === 'string' && /^[3-9]\./.test(version)) return version;
  const what = 'the file must be of Keras 3';
  throw refusal(WHO, what, 'keras_version', version);
}

/** tf.js has two types of numbers. */
function numbersIn(dataset: Hdf5Dataset): {
  dtype: 'float32' | 'int32';
  numbers: Float32Array | Int32Array;
} {
  const numbers = values(dataset);
  return dataset.dtype.includes('float')
    ? {dtype: 'float32', numbers}
    : {dtype: 'int32', numbers: Int32Array.from(numbers)};
}

function jsonIn(members: ReadonlyMap<string, Uint8Array>, name: string): Json {
  const text = util.decodeString(memberOf(members, name));
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) return json;
  } catch (error) {
    throw refusal(
      WHO,
      `${name} is not JSON (${reasonOf(error)})`,
      'file',
      name,
    );
  }
  throw refusal(WHO, `${name} is not an object`, 'file', name);
}

function memberOf(
  members: ReadonlyMap<string, Uint8Array>,
  name: string,
): Uint8Array {
  const bytes = members.get(name);
  if (bytes) return bytes;
  const what = `the file has no ${name}, so it is not a .keras file of Keras 3`;
  throw refusal(WHO, what, 'members', [...members.keys()].slice(0, 5));
}
