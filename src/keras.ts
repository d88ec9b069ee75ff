/**
 * Models in `.keras` files of Keras 3, read and written. Importing this also registers the
 * layers, as every entry of the package does.
 */
export {
  type FileSource,
  fromKerasFile,
} from './models/keras/from_keras_file.js';
export {
  toKerasFile,
  type ToKerasFileOptions,
} from './models/keras/to_keras_file.js';
