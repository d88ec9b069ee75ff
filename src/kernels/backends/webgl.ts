import type {Backend} from '../contract.js';

/** tfjs's WebGL backend, where the composed kernels run. */
export const webgl: Backend = {name: 'webgl', hostFlag: 'WEBGL_CPU_FORWARD'};
