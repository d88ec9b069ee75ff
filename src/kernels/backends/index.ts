import type {Backend} from '../contract.js';
import {cpu} from './cpu/kernels.js';
import {tensorflow} from './tensorflow/kernels.js';
import {wasm} from './wasm/kernels.js';
import {webgl} from './webgl/kernels.js';
import {webgpu} from './webgpu/kernels.js';

/** The backends that this package knows something about. */
export const BACKENDS: readonly Backend[] = [
  cpu,
  tensorflow,
  wasm,
  webgl,
  webgpu,
];
