// Runs with tfjs-node, in the order of loading given by its first argument, and
// prints the results with both file handlers.
const {existsSync} = require('node:fs');
const {join} = require('node:path');

const [order, folder] = process.argv.slice(2);
if (order === 'ours first') require('tfjs-normalization/node');
const tfjsNode = require('@tensorflow/tfjs-node');
const {fileSystem} = require('tfjs-normalization/node');
const {batchNorm} = require('tfjs-normalization');
const tf = require('@tensorflow/tfjs');

const xs = tf.randomNormal([16, 3], 0, 1, 'float32', 1);
const ys = tf.randomNormal([16, 1], 0, 1, 'float32', 2);

function makeModel() {
  const model = tf.sequential();
  model.add(tf.layers.dense({units: 4, inputShape: [3]}));
  model.add(batchNorm({movingAverage: 'cumulative'}));
  model.add(tf.layers.dense({units: 1}));
  model.compile({optimizer: tf.train.adam(0.1), loss: 'meanSquaredError'});
  model.setUserDefinedMetadata({of: 'mine'});
  return model;
}

const train = (model) =>
  model.fit(xs, ys, {batchSize: 16, shuffle: false, verbose: 0});
const predict = (model) => Array.from(model.predict(xs).dataSync());
async function optimizerState({optimizer}) {
  const weights = await optimizer.getWeights();
  return weights.map(({tensor}) => [
    tensor.shape,
    Array.from(tensor.dataSync()),
  ]);
}
const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

async function goesThrough(save, load) {
  const model = makeModel();
  await train(model);
  await model.save(save, {includeOptimizer: true});
  const loaded = await tf.loadLayersModel(load);
  return (
    isSame(predict(loaded), predict(model)) &&
    isSame(await optimizerState(loaded), await optimizerState(model)) &&
    isSame(loaded.getUserDefinedMetadata(), {of: 'mine'})
  );
}

async function main() {
  const theirs = (name) => tfjsNode.io.fileSystem(join(folder, name));
  const ours = (name) => fileSystem(join(folder, name));
  const url = (name) => `file://${join(folder, name)}`;
  const handlers = [
    ...tf.io.getSaveHandlers(url('x')),
    ...tf.io.getLoadHandlers(url('x')),
  ];
  const results = {
    handlers: handlers.map(({constructor}) => constructor.name),
    oursToTheirs: await goesThrough(ours('a'), theirs('a/model.json')),
    theirsToOurs: await goesThrough(theirs('b'), ours('b/model.json')),
    overTheirs: await goesThrough(ours('b'), theirs('b/model.json')),
    overOurs: await goesThrough(theirs('a'), ours('a/model.json')),
    byUrl: await goesThrough(url('c'), url('c/model.json')),
    theirsIsKept: existsSync(join(folder, 'b', 'weights.bin')),
  };
  console.log(JSON.stringify(results));
}

main();
