// Kernels work on raw memory: whatever they are called with, they refuse it or keep
// within their tensors.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  APPLY_STATISTICS,
  HOLD,
  MOVING_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
} from '../../src/kernels/contract.js';
import {runKernel} from '../../src/ops/run_kernel.js';

const VIEW = {batch: 2, outer: 3, group: 2, channel: 2, inner: 5};
const SIZE = 2 * 3 * 2 * 2 * 5;
const STATISTICS = 4;
const PARAMETERS = 4;

const ATTRIBUTES = {
  view: VIEW,
  epsilon: 1e-3,
  centered: true,
  scale: true,
  center: true,
  statistics: true,
  given: false,
};

/** The sizes of the inputs of each kernel, with all of the optional ones. */
const SIZES: Array<[string, number[]]> = [
  [NORMALIZE, [SIZE, PARAMETERS, PARAMETERS]],
  [
    NORMALIZE_GRAD,
    [SIZE, STATISTICS, STATISTICS, SIZE, STATISTICS, STATISTICS, PARAMETERS],
  ],
  [APPLY_STATISTICS, [SIZE, STATISTICS, STATISTICS, PARAMETERS, PARAMETERS]],
  [MOVING_STATISTICS, [7, 7, 7, 7, 1]],
];

const run = (name: string, sizes: number[], attributes: object): void => {
  tf.tidy(() => {
    runKernel(
      name,
      sizes.map((size) => tf.ones([size])),
      attributes,
    );
  });
};

describe('F11: a kernel called with inputs that its view does not fit', () => {
  it.each(SIZES)('%s runs with the right ones', (name, sizes) => {
    expect(() => {
      run(name, sizes, ATTRIBUTES);
    }).not.toThrow();
  });

  it.each(SIZES)('%s refuses every wrong length', (name, sizes) => {
    fc.assert(
      fc.property(
        fc.nat(sizes.length - 1),
        fc.oneof(fc.integer({min: 0, max: 130}), fc.constant(5000)),
        (place, length) => {
          fc.pre(length !== sizes[place]);
          const wrong = sizes.map((size, i) => (i === place ? length : size));
          const before = tf.memory().numTensors;
          expect(() => {
            run(name, wrong, ATTRIBUTES);
          }).toThrow(/^TfjsNormalization\/\w+: \w+ must have .*Received: /);
          expect(tf.memory().numTensors).toBe(before);
        },
      ),
    );
  });

  it.each(SIZES)(
    '%s refuses inputs that are missing or left over',
    (name, sizes) => {
      const message = /^TfjsNormalization\/\w+: .*Received: /;
      for (let count = 0; count < sizes.length; count++) {
        expect(() => {
          run(name, sizes.slice(0, count), ATTRIBUTES);
        }).toThrow(message);
      }
      // The gradient takes up to two that Normalize has kept.
      expect(() => {
        run(name, [...sizes, 4, 4, 4], ATTRIBUTES);
      }).toThrow(message);
    },
  );

  it.each(SIZES.slice(0, 3))(
    '%s refuses views and an epsilon that are none',
    (name, sizes) => {
      for (const axis of Object.keys(VIEW)) {
        for (const length of [
          -1,
          0.5,
          NaN,
          Infinity,
          '2',
          null,
          undefined,
          7,
        ]) {
          const view = {...VIEW, [axis]: length};
          expect(() => {
            run(name, sizes, {...ATTRIBUTES, view});
          }).toThrow(/Received: /);
        }
      }
      for (const epsilon of [NaN, Infinity, -1, '1', null, undefined]) {
        expect(() => {
          run(name, sizes, {...ATTRIBUTES, epsilon});
        }).toThrow(/epsilon must be .*Received: epsilon=/);
      }
      for (const view of [undefined, null, 3, {}]) {
        expect(() => {
          run(name, sizes, {...ATTRIBUTES, view});
        }).toThrow(/view must have .*Received: view=/);
      }
    },
  );

  it('NormalizeGrad refuses tensors beyond gamma that Normalize has not kept', () => {
    const [, sizes] = SIZES.find(([name]) => name === NORMALIZE_GRAD) ?? [];
    expect(() => {
      run(NORMALIZE_GRAD, [...(sizes ?? []), SIZE], ATTRIBUTES);
    }).toThrow(/must be those that .* has kept.* Received: kept=1$/);
  });

  it('Hold refuses more than one', () => {
    expect(() => {
      run(HOLD, [2, 2], {});
    }).toThrow(
      'TfjsNormalization/Hold: the inputs must be x. Received: inputs=2',
    );
  });

  it('by the engine itself, is refused as well', () => {
    run(NORMALIZE, [SIZE, PARAMETERS, PARAMETERS], ATTRIBUTES);
    expect(() =>
      tf
        .engine()
        .runKernel(
          NORMALIZE,
          [tf.ones([SIZE]), tf.ones([2]), tf.ones([4])] as never,
          ATTRIBUTES as never,
        ),
    ).toThrow('gamma must have 4 values. Received: gamma.shape=[2]');
  });
});
