const tf = require('@tensorflow/tfjs');
const normalization = require('tfjs-normalization');
require('tfjs-normalization/patch');
const {fileSystem} = require('tfjs-normalization/node');

import('./shared/exercise.mjs')
  .then(({exercise}) =>
    exercise(tf, normalization, {save: fileSystem('model')}),
  )
  .then((outcome) => console.log(JSON.stringify(outcome)));
