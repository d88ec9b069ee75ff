const tf = require('@tensorflow/tfjs');
const normalization = require('tfjs-normalization');
require('tfjs-normalization/patch');
require('tfjs-normalization/node');

async function main() {
  const {exercise} = await import('./shared/exercise.mjs');
  const urls = {save: 'file://model', load: 'file://model/model.json'};
  console.log(JSON.stringify(await exercise(tf, normalization, urls)));
}
main();
