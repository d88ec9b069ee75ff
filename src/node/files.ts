import {registerFileScheme} from './scheme.js';

export {fileSystem} from './file_system.js';

registerFileScheme();
