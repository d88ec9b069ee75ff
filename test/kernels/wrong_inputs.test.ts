// Kernels work on raw memory: they must refuse any wrong input or stay within
// their tensors.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  APPLY_STATISTICS,
  MOVING_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
  parametersCount,
  statisticsCount,
  type View,
  viewSize,
} from '../../src/kernels/contract.js';
import {runKernel} from '../../src/ops/run_kernel.js';
import {randomTensor, valuesOf} from '../support/tensors.js';

const VIEW: View = {batch: 2, outer: 3, group: 2, channel: 2, inner: 5};

const ATTRIBUTES = {
  view: VIEW,
  epsilon: 1e-3,
  subtractMean: true,
  scale: true,
  center: true,
  differentiableStatistics: true,
  given: false,
};

/** What an attribute says of the optional inputs; absent, it is false. */
interface Flags {
  scale?: boolean | undefined;
  center?: boolean | undefined;
  differentiableStatistics?: boolean | undefined;
}

/** The sizes of the inputs of each kernel over a view. */
const sizesOf = (
  view: View,
  {scale, center, differentiableStatistics}: Flags,
): Array<[string, number[]]> => {
  const size = viewSize(view);
  const one = statisticsCount(view);
  const gamma = scale === true ? [parametersCount(view)] : [];
  const beta = center === true ? [parametersCount(view)] : [];
  const flows = differentiableStatistics === true ? [one, one] : [];
  return [
    [NORMALIZE, [size, ...gamma, ...beta]],
    [NORMALIZE_GRAD, [size, ...flows, size, one, one, ...gamma]],
    [APPLY_STATISTICS, [size, one, one, ...gamma, ...beta]],
  ];
};

/** The sizes of the inputs of each kernel, with all of the optional ones. */
const SIZES: Array<[string, number[]]> = [
  ...sizesOf(VIEW, {scale: true, center: true, differentiableStatistics: true}),
  [MOVING_STATISTICS, [7, 7, 7, 7, 1]],
];

/** How each kernel refuses inputs. */
const REFUSAL = /^TfjsNormalization\/\w+: .*Received: /;

const run = (name: string, sizes: number[], attributes: object): void => {
  tf.tidy(() => {
    runKernel(
      name,
      sizes.map((size) => tf.ones([size])),
      attributes,
    );
  });
};

/** The values of a kernel's outputs, for inputs that are not all alike. */
const outputsOf = (
  name: string,
  sizes: number[],
  attributes: object,
): number[][] =>
  tf.tidy(() => {
    const inputs = sizes.map((size, i) =>
      tf.abs(randomTensor([size], i, 1, 0.1)),
    );
    return runKernel(name, inputs, attributes).map(valuesOf);
  });

const flag = fc.constantFrom(true, false, undefined);
const flags: fc.Arbitrary<Flags> = fc.record({
  scale: flag,
  center: flag,
  differentiableStatistics: flag,
});

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
      for (let count = 0; count < sizes.length; count++) {
        expect(() => {
          run(name, sizes.slice(0, count), ATTRIBUTES);
        }).toThrow(REFUSAL);
      }
      // The gradient takes up to two that Normalize has kept.
      expect(() => {
        run(name, [...sizes, 4, 4, 4], ATTRIBUTES);
      }).toThrow(REFUSAL);
    },
  );

  it.each(SIZES.slice(0, 3))(
    '%s refuses invalid views and epsilons',
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
      run(NORMALIZE_GRAD, [...(sizes ?? []), sizes?.[0] ?? 0], ATTRIBUTES);
    }).toThrow(/must be those that .* has kept.* Received: kept=1$/);
  });

  it('axes of length 0 leave nothing to read, and other inputs are refused', () => {
    const length = fc.constantFrom(0, 1, 2, 5);
    const view = fc
      .record({
        batch: length,
        outer: length,
        group: length,
        channel: length,
        inner: length,
      })
      .filter((lengths) => viewSize(lengths) === 0);
    fc.assert(
      fc.property(view, flags, fc.nat(2), fc.nat(), (axes, has, kernel, at) => {
        const [name, sizes] = sizesOf(axes, has)[kernel] as [string, number[]];
        const attributes = {
          view: axes,
          epsilon: 1e-3,
          subtractMean: true,
          ...has,
        };
        const outputs = outputsOf(name, sizes, attributes);
        expect(outputs[0]).toEqual([]);
        // Sums over nothing, whatever has been in memory.
        expect(outputs.flat().every((value) => value === 0)).toBe(true);
        const place = at % sizes.length;
        const wrong = sizes.map((size, i) => size + (i === place ? 1 : 0));
        expect(() => {
          run(name, wrong, attributes);
        }).toThrow(REFUSAL);
      }),
    );
  });

  it('an absent flag is false', () => {
    fc.assert(
      fc.property(flags, fc.nat(2), (has, kernel) => {
        const given = Object.fromEntries(
          Object.entries(has).filter(([, value]) => value !== undefined),
        );
        const [name, sizes] = sizesOf(VIEW, has)[kernel] as [string, number[]];
        const base = {
          view: VIEW,
          epsilon: 1e-3,
          subtractMean: true,
          given: false,
        };
        const explicit = {
          scale: has.scale ?? false,
          center: has.center ?? false,
          differentiableStatistics: has.differentiableStatistics ?? false,
        };
        const expected = outputsOf(name, sizes, {...base, ...explicit});
        for (const absent of [given, has]) {
          const attributes = {...base, ...absent};
          expect(outputsOf(name, sizes, attributes)).toEqual(expected);
          expect(() => {
            run(name, sizes.slice(1), attributes);
          }).toThrow(REFUSAL);
          // The gradient takes up to two that Normalize has kept.
          expect(() => {
            run(name, [...sizes, 4, 4, 4], attributes);
          }).toThrow(REFUSAL);
        }
      }),
    );
  });

  describe('by the engine itself', () => {
    const engineRun = (name: string, sizes: number[]): void => {
      tf.tidy(() => {
        const inputs = sizes.map((size) => tf.ones([size]));
        tf.engine().runKernel(name, inputs as never, ATTRIBUTES as never);
      });
    };
    it.each(SIZES)('%s refuses inputs that are too short', (name, sizes) => {
      // An op registers a kernel at its first call.
      run(name, sizes, ATTRIBUTES);
      expect(() => {
        engineRun(name, sizes);
      }).not.toThrow();
      const before = tf.memory().numTensors;
      for (let count = 0; count < sizes.length; count++) {
        expect(() => {
          engineRun(name, sizes.slice(0, count));
        }).toThrow(REFUSAL);
      }
      for (const place of sizes.keys()) {
        for (const length of [0, 1, (sizes[place] ?? 0) - 1]) {
          if (length === sizes[place]) continue;
          const short = sizes.map((size, i) => (i === place ? length : size));
          expect(() => {
            engineRun(name, short);
          }).toThrow(REFUSAL);
        }
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    it('is told which input and how many values', () => {
      run(NORMALIZE, [120, 4, 4], ATTRIBUTES);
      expect(() => {
        engineRun(NORMALIZE, [120, 2, 4]);
      }).toThrow('gamma must have 4 values. Received: gamma.shape=[2]');
    });
  });
});
