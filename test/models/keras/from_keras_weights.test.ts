// Weights and training configs that do not fit the model give an error with a
// reason, and leak nothing.
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {artifactsOf} from '../../support/memory_model.js';
import {expectRefused} from './keras_json.js';

describe('weights that do not fit', () => {
  const BIG = 2 ** 40;

  async function dense(): Promise<tf.io.ModelArtifacts> {
    const layers = [
      tf.layers.dense({units: 2, inputShape: [3], name: 'd'}),
      batchNorm({name: 'n'}),
    ];
    return artifactsOf(tf.sequential({layers}));
  }

  type Change = (artifacts: {
    -readonly [K in keyof tf.io.ModelArtifacts]: tf.io.ModelArtifacts[K];
  }) => void;

  it.each<[string, Change, string]>([
    [
      'too few bytes',
      (a) => (a.weightData = new ArrayBuffer(8)),
      'fromKeras: the weights need 64 bytes, and there are 8. Received: ',
    ],
    [
      'too many bytes',
      (a) => (a.weightData = [new ArrayBuffer(64), new ArrayBuffer(8)]),
      'the weights need 64 bytes, and there are 72',
    ],
    [
      'a missing weight',
      (a) => {
        a.weightSpecs = a.weightSpecs?.slice(0, -1);
        a.weightData = new ArrayBuffer(56);
      },
      'fromKeras: 1 of 6 weights are missing. Received: missing=["n/moving_variance"]',
    ],
    [
      'a weight that exists only in an optimizer',
      (a) => rename(a, 'n/gamma', 'optimizer/gamma'),
      'fromKeras: 1 of 6 weights are missing. Received: missing=["n/gamma"]',
    ],
    [
      'more numbered weights than a layer takes',
      (a) => {
        a.weightSpecs?.forEach((spec, i) => {
          spec.name = `layers/dense/vars/${i}`;
        });
      },
      'fromKeras: the layer d takes 2 weights. Received: weights=',
    ],
    [
      'a numbered weight of a model',
      (a) => {
        for (const spec of a.weightSpecs ?? []) spec.name = 'vars/0';
      },
      'the file has a weight that no layer takes. Received: name="vars/0"',
    ],
    [
      'a numbered weight of an attribute that no layer has',
      (a) => {
        for (const spec of a.weightSpecs ?? []) {
          spec.name = 'layers/dense/kernel_holder/vars/0';
        }
      },
      'the file has a weight that no layer takes. Received: name="layers/dense',
    ],
    [
      'an invalid quantization',
      (a) => {
        for (const spec of a.weightSpecs ?? []) {
          spec.quantization = 'half' as unknown as typeof spec.quantization;
        }
      },
      'fromKeras: a weight has no valid name, shape and dtype',
    ],
    [
      'a weight that no layer takes',
      (a) => rename(a, 'n/gamma', 'n/delta'),
      'the file has a weight that no layer takes. Received: name="n/delta"',
    ],
    [
      'a weight that occurs twice',
      (a) => rename(a, 'n/gamma', 'n/beta'),
      'the file has a weight that no layer takes. Received: name="n/beta"',
    ],
    [
      'another shape',
      (a) => reshape(a, 'd/kernel', [2, 3]),
      'the weight d/kernel must be float32 of shape [3, 2]. Received: d/kernel',
    ],
    [
      'no shape',
      (a) => reshape(a, 'd/kernel', [-3, -2]),
      'fromKeras: a weight has no valid name, shape and dtype',
    ],
    [
      'a huge shape',
      (a) => reshape(a, 'd/kernel', [BIG, BIG]),
      'fromKeras: the weights need ',
    ],
    [
      'another dtype',
      (a) => {
        for (const spec of a.weightSpecs ?? []) spec.dtype = 'int32';
      },
      'must be float32 of shape',
    ],
    [
      'a model that would fill the memory',
      (a) => {
        const text = JSON.stringify(a.modelTopology);
        a.modelTopology = JSON.parse(
          text.replace('"units":2', `"units":${BIG}`),
        ) as object;
      },
      'it has more weights than the file has values, one of shape [3, ',
    ],
    [
      'a training config that tf.js cannot compile',
      (a) => {
        a.trainingConfig = {
          optimizer_config: {class_name: 'Lion', config: {}},
          loss: 'mean_squared_error',
        };
      },
      'fromKeras: tf.js cannot compile the model (',
    ],
  ])('%s', async (_, change, message) => {
    const artifacts = await dense();
    change(artifacts);
    const {modelTopology, ...rest} = artifacts;
    await expectRefused(modelTopology, message, rest);
  });

  it('are distinguished from those of other models', async () => {
    const artifacts = await dense();
    artifacts.weightSpecs = artifacts.weightSpecs?.map((spec) => ({
      ...spec,
      name: `layers/dense_1/vars/${spec.name.length}`,
    }));
    const {modelTopology, ...rest} = artifacts;
    await expectRefused(
      modelTopology,
      'the file has a weight that no layer takes. Received: ' +
        'name="layers/dense_1/vars/',
      rest,
    );
  });

  function rename(a: tf.io.ModelArtifacts, from: string, to: string): void {
    for (const spec of a.weightSpecs ?? []) {
      if (spec.name === from) spec.name = to;
    }
  }

  function reshape(
    a: tf.io.ModelArtifacts,
    name: string,
    shape: number[],
  ): void {
    for (const spec of a.weightSpecs ?? []) {
      if (spec.name === name) spec.shape = shape;
    }
  }
});
