import {layers as stock} from '@tensorflow/tfjs-layers';
import {batchNorm, layers, ops} from 'tfjs-normalization';
import {unpatch} from 'tfjs-normalization/patch';

const methods = Object.getPrototypeOf(stock.batchNormalization());
const {call} = methods;
unpatch();

globalThis.made = [batchNorm(), layers.layerNorm(), ops.batchNorm];
globalThis.wasPatched = methods.call !== call;
