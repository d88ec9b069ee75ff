import type {Backend} from '../contract.js';

/** tfjs's WebGPU backend, where the composed kernels run. */
export const webgpu: Backend = {
  name: 'webgpu',
  hostFlag: 'WEBGPU_CPU_FORWARD',
};
