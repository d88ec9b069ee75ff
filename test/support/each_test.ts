import * as tf from '@tensorflow/tfjs';
import './random_cases.js';

// Warnings are tested, and would clutter the output.
beforeEach(() => {
  // With this flag, tfjs checks for leaks after every kernel.
  tf.env().set('IS_TEST', true);
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(() => {
  jest.restoreAllMocks();
});
