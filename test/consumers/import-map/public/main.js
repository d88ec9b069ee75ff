import * as core from '@tensorflow/tfjs-core';
import * as tfLayers from '@tensorflow/tfjs-layers';
import * as normalization from 'tfjs-normalization';
import {exercise} from './shared/exercise.mjs';

// The map names no backend: it comes from where tfjs-core does.
const url = import.meta.resolve('@tensorflow/tfjs-core');
await import(url.replace('tfjs-core', 'tfjs-backend-webgl'));

normalization.patchStockLayers();
globalThis.outcome = await exercise({...core, ...tfLayers}, normalization, {
  save: 'indexeddb://model',
});
