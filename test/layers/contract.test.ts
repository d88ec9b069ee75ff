// The contract that every layer of the package keeps: test/support/layer_contract.ts.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  normalization,
  rmsNorm,
  spectralNorm,
  unitNorm,
} from 'tfjs-normalization';
import {
  describeContract,
  exportedLayers,
  type LayerContract,
} from '../support/layer_contract.js';

const AFFINE = ['gamma', 'beta'];

/** A line for each layer that the package exports. */
const CONTRACTS: readonly LayerContract[] = [
  {
    exported: 'BatchNorm',
    make: batchNorm,
    className: 'BatchNorm',
    kerasNames: [
      'BatchNormalization',
      'BatchNormalizationV1',
      'BatchNormalizationV2',
      'SyncBatchNormalization',
    ],
    learnt: AFFINE,
    others: ['moving_mean', 'moving_variance'],
  },
  {
    exported: 'GroupNorm',
    make: (args) => groupNorm({groups: 2, ...args}),
    className: 'GroupNormalization',
    kerasNames: ['GroupNormalization', 'Addons>GroupNormalization'],
    kerasConfig: {groups: 2},
    learnt: AFFINE,
  },
  {
    exported: 'InstanceNorm',
    make: instanceNorm,
    className: 'InstanceNorm',
    kerasNames: ['Addons>InstanceNormalization'],
    learnt: AFFINE,
  },
  {
    exported: 'LayerNorm',
    make: layerNorm,
    className: 'LayerNorm',
    kerasNames: ['LayerNormalization'],
    learnt: AFFINE,
  },
  {
    exported: 'RMSNorm',
    make: rmsNorm,
    className: 'RMSNormalization',
    kerasNames: ['RMSNormalization'],
    learnt: ['scale'],
  },
  {
    exported: 'UnitNorm',
    make: unitNorm,
    className: 'UnitNormalization',
    kerasNames: ['UnitNormalization'],
    learnt: [],
  },
  {
    exported: 'SpectralNorm',
    make: (args) => spectralNorm({layer: tf.layers.dense({units: 4}), ...args}),
    className: 'SpectralNormalization',
    kerasNames: ['SpectralNormalization'],
    kerasConfig: {
      layer: {class_name: 'Dense', config: {units: 4, name: 'd'}},
    },
    learnt: ['kernel', 'bias'],
    others: ['vector_u'],
    othersNeedNoBatch: true,
    wrapsStock: true,
  },
  {
    exported: 'Normalization',
    make: normalization,
    className: 'Normalization',
    kerasNames: ['Normalization'],
    learnt: [],
    others: ['mean', 'variance', 'count'],
  },
];

it('covers every layer that the package exports', () => {
  const covered = CONTRACTS.map(({exported}) => exported);
  expect(covered.sort()).toEqual(exportedLayers().sort());
});

for (const contract of CONTRACTS) describeContract(contract);
