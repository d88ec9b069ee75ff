import * as tf from '@tensorflow/tfjs';
import {
  convertModel,
  foldBatchNorm,
  freezeBatchNorm,
  inspect,
  recalibrate,
  setStatistics,
  unfreezeBatchNorm,
} from 'tfjs-normalization';

type Tool = (model: tf.LayersModel) => unknown;

const TOOLS: Array<[string, Tool]> = [
  ['convertModel', (model) => convertModel(model, {to: 'stock'})],
  ['foldBatchNorm', (model) => foldBatchNorm(model)],
  ['freezeBatchNorm', (model) => freezeBatchNorm(model)],
  ['inspect', (model) => inspect(model)],
  ['recalibrate', (model) => recalibrate(model, tf.ones([2, 2]))],
  ['setStatistics', (model) => setStatistics(model, 'batch')],
  ['unfreezeBatchNorm', (model) => unfreezeBatchNorm(model)],
];

const messageOf = async (tool: Tool, model: unknown): Promise<string> => {
  try {
    await tool(model as tf.LayersModel);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('F29: a model of another copy of tf.js', () => {
  it.each(TOOLS)('is refused by %s, with the remedy', async (name, tool) => {
    const theirs = {name: 'model', layers: [], predict: () => undefined};
    expect(await messageOf(tool, theirs)).toMatch(
      new RegExp(
        `^${name}: the model comes from another copy.*npm ls.*Received: model="model"$`,
      ),
    );
  });
});

describe('anything but a model', () => {
  it.each(TOOLS)('is refused by %s', async (name, tool) => {
    for (const value of [undefined, null, 3, {}, [], 'model', tf.scalar(1)]) {
      expect(await messageOf(tool, value)).toMatch(
        new RegExp(`^${name}: the model must be a tf.LayersModel. Received: `),
      );
    }
  });
});
