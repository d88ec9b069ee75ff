import * as core from '@tensorflow/tfjs-core';
import * as tfLayers from '@tensorflow/tfjs-layers';
import {setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {exercise} from '../shared/exercise.mjs';

setWasmPaths('./');
await core.setBackend('wasm');
globalThis.outcome = await exercise({...core, ...tfLayers}, normalization, {
  save: 'indexeddb://model',
});
