/**
 * What only Node can do: models in files. Importing this also registers the
 * layers, as every entry of the package does, and gives tf.js the `file://`
 * scheme, unless tfjs-node has brought its own.
 */
import '../index.js';

export {fileSystem} from './files.js';
