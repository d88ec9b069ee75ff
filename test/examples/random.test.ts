import * as fc from 'fast-check';
import {readData} from '../../examples/digits/dataset.js';
import {
  createRandom,
  deriveSeed,
  permutation,
} from '../../examples/digits/random.js';

const seeds = fc.integer({min: 0, max: 2 ** 32 - 1});
const DIGITS = 'examples/digits/data/digits.csv';

describe('random numbers', () => {
  it('are Mulberry32', () => {
    // Ettinger's C: uint32_t z = (x += 0x6D2B79F5UL);
    // z = (z ^ (z >> 15)) * (z | 1UL); z ^= z + (z ^ (z >> 7)) * (z | 61UL);
    // return z ^ (z >> 14); compiled by gcc, from x = 1, divided by 2 ** 32.
    const random = createRandom(1);
    expect([random(), random(), random()]).toEqual([
      0.6270739405881613, 0.002735721180215478, 0.5274470399599522,
    ]);
  });

  it('repeat with the seed', () => {
    fc.assert(
      fc.property(seeds, fc.integer({min: 1, max: 99}), (seed, length) => {
        const [a, b] = [createRandom(seed), createRandom(seed)];
        expect(permutation(length, a)).toEqual(permutation(length, b));
      }),
    );
  });

  it('contain every integer once', () => {
    fc.assert(
      fc.property(seeds, fc.nat(99), (seed, length) => {
        const order = permutation(length, createRandom(seed));
        const sorted = [...order].sort((a, b) => a - b);
        expect(sorted).toEqual(Array.from({length}, (_, i) => i));
      }),
    );
  });

  it('have every order with equal probability', () => {
    const random = createRandom(7);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = permutation(3, random).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // 1000 each, with a standard deviation of 29.
    expect([...counts.values()].sort()).toHaveLength(6);
    for (const count of counts.values()) {
      expect(Math.abs(count - 1000)).toBeLessThan(5 * 29);
    }
  });
});

describe('derived seeds', () => {
  it('are integers that tf.js accepts as seeds', () => {
    fc.assert(
      fc.property(seeds, fc.string(), (seed, purpose) => {
        const derived = deriveSeed(seed, purpose);
        expect(Number.isInteger(derived)).toBe(true);
        expect(derived).toBeGreaterThanOrEqual(1);
        expect(derived).toBeLessThan(2 ** 32);
        expect(deriveSeed(seed, purpose)).toBe(derived);
      }),
    );
  });

  it('differ from purpose to purpose and from seed to seed', () => {
    const purposes = ['split', 'order of images', 'kernel of hidden_1'];
    const derived = [0, 1, 2, 3].flatMap((seed) =>
      purposes.map((purpose) => deriveSeed(seed, purpose)),
    );
    expect(new Set(derived).size).toBe(derived.length);
  });
});

describe('the split of a CSV file', () => {
  it('gives four fifths to training, and depends on the seed', () => {
    const [first, again, other] = [1, 1, 2].map((seed) =>
      readData(DIGITS, seed),
    );
    expect(first?.training.labels).toHaveLength(1437);
    expect(first?.validation.labels).toHaveLength(360);
    expect(again).toEqual(first);
    expect(other?.validation.labels).not.toEqual(first?.validation.labels);
  });

  it('loses no image', () => {
    const {training, validation} = readData(DIGITS, 3);
    const labels = [...training.labels, ...validation.labels];
    const counts = Array.from(
      {length: 10},
      (_, digit) => labels.filter((label) => label === digit).length,
    );
    // The counts of the test set at https://archive.ics.uci.edu/dataset/80.
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });
});
