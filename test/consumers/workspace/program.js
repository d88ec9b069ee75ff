// Imports what it is told, in that order. If app is there, its model has to train;
// if old's tfjs is there, its models have to be refused wherever they come in.
import {exercise} from './shared/exercise.mjs';

const REASON = 'another copy of TensorFlow.js';

const modules = {};
for (const name of process.argv.slice(2)) modules[name] = await import(name);
const {app, 'old/tf': oldTf} = modules;
const normalization = app?.normalization ?? modules['old/normalization'];

const refused = oldTf && (await tryOld());
const trained = app && (await trainApp());
console.log(JSON.stringify({refused, trained}));

async function trainApp() {
  const {fileSystem} = await import('app/node');
  const save = fileSystem(`model-${process.pid}`);
  return exercise(app.tf, app.normalization, {save});
}

async function tryOld() {
  const model = oldTf.sequential();
  // All copies of tf.js share the names of variables, but not what is taken.
  const options = {inputShape: [3], name: 'of_old'};
  model.add(oldTf.layers.batchNormalization(options));
  const calls = {
    convertModel: ({convertModel}) =>
      convertModel(model, {to: 'normalization'}),
    foldBatchNorm: ({foldBatchNorm}) => foldBatchNorm(model),
    freezeBatchNorm: ({freezeBatchNorm}) => freezeBatchNorm(model),
    inspect: ({inspect}) => inspect(model),
    recalibrate: ({recalibrate}) => recalibrate(model, oldTf.ones([8, 3])),
    setStatistics: ({setStatistics}) => setStatistics(model, 'batch'),
    unfreezeBatchNorm: ({unfreezeBatchNorm}) => unfreezeBatchNorm(model),
    batchNorm: ({batchNorm}) => model.add(batchNorm()),
    layerNorm: ({layerNorm}) => model.add(layerNorm()),
  };
  const wrong = [];
  for (const [name, call] of Object.entries(calls)) {
    const message = await messageOf(() => call(normalization));
    if (!message.includes(REASON)) wrong.push(`${name}: ${message}`);
  }
  return wrong.length === 0 ? 'refuses' : wrong.join('; ');
}

async function messageOf(call) {
  try {
    await call();
    return 'no error';
  } catch ({message}) {
    return message;
  }
}
