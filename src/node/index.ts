/**
 * Models in files, for Node only. Importing this also registers the layers, as
 * every entry of the package does, and gives tf.js the `file://` scheme, unless
 * tfjs-node provides it.
 *
 * @module
 */
import '../index.js';

export {fileSystem} from './files.js';
