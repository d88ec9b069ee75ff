// tfjs-node 4.22 uses two functions that Node 23 removed.
const util = require('node:util');
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;

const tf = require('@tensorflow/tfjs-node');
const normalization = require('tfjs-normalization');
require('tfjs-normalization/patch');
require('tfjs-normalization/node');

async function main() {
  const {exercise} = await import('./shared/exercise.mjs');
  const urls = {save: 'file://model', load: 'file://model/model.json'};
  console.log(JSON.stringify(await exercise(tf, normalization, urls)));
}
main();
