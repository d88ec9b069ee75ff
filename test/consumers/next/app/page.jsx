import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {fileSystem} from 'tfjs-normalization/node';
import {exercise} from '../shared/exercise.mjs';

// On the server, once, when the page is built.
export default async function Page() {
  const save = fileSystem('model');
  const outcome = await exercise(tf, normalization, {save});
  return <pre>{Buffer.from(JSON.stringify(outcome)).toString('base64')}</pre>;
}
