import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {fileSystem} from 'tfjs-normalization/node';
import {expect, it} from 'vitest';
import {exercise} from './shared/exercise.mjs';

it('trains, saves and loads', async () => {
  const save = fileSystem('model');
  const outcome = await exercise(tf, normalization, {save});
  expect(outcome).toMatchObject({unmoved: 0, isBatchNorm: true, gap: 0});
});
