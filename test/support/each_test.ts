import * as tf from '@tensorflow/tfjs';

// Warnings are part of what is tested, and would drown the rest of the output.
beforeEach(() => {
  // tfjs then checks after every kernel that it left no memory behind.
  tf.env().set('IS_TEST', true);
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(() => {
  jest.restoreAllMocks();
});
