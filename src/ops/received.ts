export {received} from '../received.js';
