import * as tf from '@tensorflow/tfjs';
import {batchNorm, recalibrate} from 'tfjs-normalization';
import {batchNorm as oracle} from '../oracle/by_axes.js';
import {expectCloseNow} from '../support/close.js';
import {
  OPTIONS,
  ROUNDINGS,
  TRAINING,
  maskOf,
  dense,
  embedded,
  KINDS,
  LENGTH,
  MASK,
  model,
  on,
  SHAPE,
  WORDS,
  words,
} from '../support/masked_graphs.js';
import {reload} from '../support/memory_model.js';
import {through} from '../support/models.js';
import {
  magnitude,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../support/tensors.js';

const input = (): tf.Tensor => tf.tensor(WORDS, [LENGTH, LENGTH]);

/** Expects y to be x normalized, without a mask or with it. */
function expectNormalized(
  x: tf.Tensor | undefined,
  y: tf.Tensor | undefined,
  isMasked: boolean,
): void {
  const expected = oracle(valuesOf(x as tf.Tensor), SHAPE, {
    ...OPTIONS,
    mask: isMasked ? {values: MASK, shape: [LENGTH, LENGTH]} : undefined,
  });
  expectCloseNow(y as tf.Tensor, [...expected.y], {
    what: 'y',
    roundings: ROUNDINGS,
  });
}

const train = (made: tf.LayersModel): tf.Tensor[] =>
  made.apply(input(), TRAINING) as tf.Tensor[];

describe.each(KINDS)('F1: one %s for two tensors', (name, kind) => {
  /**
   * Layers connected before patching identify their callers only from the
   * second call on.
   */
  const isLate = name.includes('before');

  it.each([
    ['first', true],
    ['last', false],
  ])('of one model, the masked one %s', (_, isFirst) => {
    const {model: made} = kind((norm) => {
      const start = words();
      const masked = on(dense(), embedded(start));
      const plain = on(dense(), embedded(start, false));
      const [a, b] = isFirst ? [masked, plain] : [plain, masked];
      return model(start, a, through(norm, a), b, through(norm, b));
    });
    if (isLate) tf.dispose(made.predict(input()));
    for (let step = 0; step < 3; step++) {
      const [a, yOfA, b, yOfB] = train(made);
      expectNormalized(a, yOfA, isFirst);
      expectNormalized(b, yOfB, !isFirst);
    }
  });

  it('of one model that is recalibrated immediately', async () => {
    const {model: made, norm} = kind((inner) => {
      const start = words();
      const plain = on(dense(), embedded(start, false));
      const masked = on(dense(), embedded(start));
      const outputs = [masked, plain].map((x) => through(inner, x));
      return model(start, masked, plain, ...outputs);
    });
    await recalibrate(made, input());
    const [masked, plain] = made.predict(input()) as [tf.Tensor, tf.Tensor];
    const rows = tf.reshape(tf.concat([masked, plain]), [-1, LENGTH]);
    const flags = [...MASK, ...MASK.map(() => true)];
    const kept = flags.flatMap((flag, i) => (flag ? [i] : []));
    const mean = tf.mean(tf.gather(rows, tf.tensor1d(kept, 'int32')), 0);
    // Values of both signs cancel in the mean.
    expectCloseNow(mean, weightsOf(norm).moving_mean ?? [], {
      what: 'mean',
      roundings: ROUNDINGS,
      scale: magnitude(rows),
    });
  });

  it('of two models', () => {
    const others: tf.LayersModel[] = [];
    const {model: masked} = kind((norm) => {
      const [start, other] = [words(), words()];
      const plain = embedded(other, false);
      others.push(model(other, plain, through(norm, plain)));
      const x = embedded(start);
      return model(start, x, through(norm, x));
    });
    const [plain] = others as [tf.LayersModel];
    if (isLate) tf.dispose(plain.predict(input()));
    for (const made of [masked, plain, plain, masked, plain, masked]) {
      const [x, y] = train(made);
      expectNormalized(x, y, made === masked);
    }
  });

  it('of a model and of a program', () => {
    let shared: tf.layers.Layer | undefined;
    const {model: made} = kind((norm) => {
      shared = norm;
      const start = words();
      const x = embedded(start, false);
      return model(start, x, through(norm, x));
    });
    const x = randomTensor(SHAPE, 3);
    for (let step = 0; step < 2; step++) {
      const y = shared?.apply(x, {...TRAINING, mask: maskOf()}) as tf.Tensor;
      expectNormalized(x, y, true);
      const [hidden, normalized] = train(made);
      expectNormalized(hidden, normalized, false);
      expectNormalized(x, shared?.apply(x, TRAINING) as tf.Tensor, false);
    }
  });
});

describe.each(KINDS)('F1: %s', (name, kind) => {
  it('in TimeDistributed gets no mask of any length', () => {
    const {model: masked, norm} = kind((inner) => {
      const start = words();
      const x = embedded(start);
      const wrapper = tf.layers.timeDistributed({layer: inner});
      return model(start, x, through(wrapper, x));
    });
    const [x, y] = train(masked);
    tf.unstack(x as tf.Tensor, 1).forEach((step, i) => {
      const expected = oracle(valuesOf(step), [LENGTH, LENGTH], OPTIONS);
      const found = tf.slice(y as tf.Tensor, [0, i, 0], [LENGTH, 1, LENGTH]);
      expectCloseNow(found, [...expected.y], {what: 'y', roundings: ROUNDINGS});
    });
    expect(weightsOf(norm).moving_mean?.every(Number.isFinite)).toBe(true);
  });

  it('of a model that is saved and loaded, and of a part of it', async () => {
    const {model: made, norm} = kind((inner) => {
      const start = words();
      const x = embedded(start);
      const plain = on(tf.layers.flatten(), x);
      const shape = on(tf.layers.reshape({targetShape: [4, 4]}), plain);
      return model(start, x, through(inner, x), shape, through(inner, shape));
    });
    tf.dispose(made.predict(input()));
    const [start] = made.inputs as [tf.SymbolicTensor];
    const [x, y, stale, other] = made.outputs as [
      tf.SymbolicTensor,
      tf.SymbolicTensor,
      tf.SymbolicTensor,
      tf.SymbolicTensor,
    ];
    const loaded = await reload(made);
    tf.dispose(loaded.predict(input()));
    for (const each of [loaded, made]) {
      const [a, yOfA, b, yOfB] = train(each);
      expectNormalized(a, yOfA, true);
      expectNormalized(b, yOfB, false);
    }
    const [a, yOfA] = train(model(start, x, y));
    expectNormalized(a, yOfA, true);
    const [b, yOfB] = train(model(start, stale, other));
    expectNormalized(b, yOfB, false);
    expect(weightsOf(norm).moving_mean?.every(Number.isFinite)).toBe(true);
  });

  it('takes no mask that a program passes to a model', () => {
    const {model: made} = kind((norm) => {
      const start = words();
      const x = embedded(start, false);
      return model(start, x, through(norm, x));
    });
    const kwargs = {...TRAINING, mask: maskOf()};
    const [x, y] = made.apply(input(), kwargs) as tf.Tensor[];
    expectNormalized(x, y, false);
  });

  it('takes the mask that a program passes with its input in a list', () => {
    const {norm} = kind((inner) => {
      const start = words();
      const x = embedded(start, false);
      return model(start, x, through(inner, x));
    });
    const x = randomTensor(SHAPE, 3);
    const kwargs = {...TRAINING, mask: maskOf()};
    if (name.includes('before')) norm.apply(x);
    expectNormalized(x, norm.apply([x], kwargs) as tf.Tensor, true);
    expectNormalized(x, norm.apply([x], kwargs) as tf.Tensor, true);
  });

  it('takes no mask that a model has left in a program’s arguments', () => {
    const {model: made, norm} = kind((inner) => {
      const start = words();
      const x = embedded(start);
      return model(start, x, through(inner, x));
    });
    const kwargs: {training: boolean; mask?: tf.Tensor} = {training: true};
    tf.dispose(made.apply(input(), kwargs) as tf.Tensor[]);
    // tfjs has put it there.
    expect(kwargs.mask?.isDisposed).toBe(true);
    const x = randomTensor(SHAPE, 3);
    expectNormalized(x, norm.apply(x, kwargs) as tf.Tensor, false);
    const [hidden, y] = made.apply(input(), kwargs) as tf.Tensor[];
    expectNormalized(hidden, y, true);
  });

  it('keeps the same number of tensors over 200 steps', async () => {
    const {model: made} = kind((norm) => {
      const start = words();
      const x = embedded(start);
      return model(start, x, through(norm, x));
    });
    made.compile({optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError'});
    const [x, targets] = [input(), [tf.zeros(SHAPE), tf.zeros(SHAPE)]];
    const step = async (): Promise<void> => {
      await made.trainOnBatch(x, targets);
      tf.dispose(made.predict(x));
      tf.dispose(made.apply(x, TRAINING) as tf.Tensor[]);
    };
    await step();
    const {numTensors} = tf.memory();
    for (let i = 0; i < 200; i++) await step();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('F7: trains for any truthy training, under a mask too', () => {
    const {norm} = kind((inner) => {
      const start = words();
      return model(start, start, through(inner, embedded(start)));
    });
    const x = randomTensor(SHAPE, 4);
    for (const training of [1, 'yes', {}] as unknown as boolean[]) {
      const y = norm.apply(x, {training, mask: maskOf()}) as tf.Tensor;
      expectNormalized(x, y, true);
    }
    const before = weightsOf(norm);
    for (const training of [0, '', null] as unknown as boolean[]) {
      norm.apply(x, {training, mask: maskOf()});
    }
    expect(weightsOf(norm)).toEqual(before);
  });
});

describe('F1: BatchNorm: the mask of Add', () => {
  it('is that of its first input, also for more axes', () => {
    const start = tf.input({shape: [LENGTH, LENGTH, 2]});
    const norm = batchNorm();
    // The mask is [4, 4], and tfjs makes [1, 4, 4] and [1, 1, 4, 4] of it.
    const masked = on(tf.layers.masking({maskValue: 0}), start);
    const flat = on(tf.layers.add(), [masked, masked]);
    const twice = on(tf.layers.average(), [flat, flat]);
    const made = tf.model({
      inputs: start,
      outputs: [through(norm, flat), through(norm, twice)],
    });
    const x = tf.mul(
      randomTensor([LENGTH, LENGTH, LENGTH, 2], 1, 1),
      tf.greater(randomTensor([LENGTH, LENGTH, LENGTH, 1], 2), 0),
    );
    const values = valuesOf(x);
    const mask = {
      values: Array.from(
        {length: LENGTH ** 3},
        (_, i) => values[2 * i] !== 0 || values[2 * i + 1] !== 0,
      ),
      shape: [LENGTH, LENGTH, LENGTH],
    };
    const found = made.apply(x, TRAINING) as tf.Tensor[];
    for (const y of found) {
      const doubled = values.map((value) => 2 * value);
      const expected = oracle(doubled, [LENGTH, LENGTH, LENGTH, 2], {
        ...OPTIONS,
        mask,
      });
      expectCloseNow(y, [...expected.y], {what: 'y', roundings: ROUNDINGS});
    }
  });
});

describe('F12: BatchNorm: a mask with axes of length 1', () => {
  it.each([
    [
      [1, 4],
      [3, 4, 2],
    ],
    [
      [3, 1],
      [3, 4, 2],
    ],
    [
      [1, 1],
      [3, 4, 2],
    ],
    [[1], [3, 4, 2]],
    [
      [1, 2, 1],
      [1, 2, 3, 4],
    ],
    [
      [2, 1, 3],
      [2, 4, 3, 2],
    ],
  ])('%j of %j counts like the full mask', (maskShape, shape) => {
    const x = randomTensor(shape, 1);
    const mask = tf.greater(randomTensor(maskShape, 3), -0.3);
    const missing = shape.slice(0, maskShape.length);
    const whole = tf.broadcastTo(mask, missing);
    const [a, b] = [batchNorm({momentum: 0}), batchNorm({momentum: 0})];
    const y = a.apply(x, {...TRAINING, mask}) as tf.Tensor;
    const expected = b.apply(x, {...TRAINING, mask: whole}) as tf.Tensor;
    // The same sums, root and products.
    expectCloseNow(y, expected, {what: 'y', roundings: 4});
    expectCloseNow(
      Object.values(weightsOf(a)).flat(),
      Object.values(weightsOf(b)).flat(),
      {what: 'weights', roundings: 4},
    );
  });
});
