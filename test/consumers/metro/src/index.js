import {batchNorm, layers, ops} from 'tfjs-normalization';
import 'tfjs-normalization/patch';

globalThis.made = [batchNorm(), layers.layerNorm(), ops.batchNorm];
