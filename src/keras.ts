/** The container of Keras's `.keras` files. */
export {readZip, writeZip} from './keras_file/zip.js';
export {readHdf5} from './keras_file/hdf5/read_hdf5.js';
export {writeHdf5} from './keras_file/hdf5/write_hdf5.js';
