import {rowsOf, type Times} from '../../bench/neighbours_result.js';

const times = (value: number): Times => ({
  conv2d: value,
  matMul: 2 * value,
  ResNet: 3 * value,
});

describe('F17: the rows of neighbours', () => {
  it('have medians of processes, their ratio and their spread', () => {
    const without = [1, 2, 3, 4, 100].map(times);
    const used = [3, 6, 9].map(times);
    const [conv2d, matMul, network] = rowsOf('cpu', without, used);
    expect(conv2d).toEqual({
      backend: 'cpu',
      neighbour: 'conv2d',
      without: 3,
      used: 6,
      ratio: 2,
      spread: 2 / 3,
    });
    expect(matMul?.used).toBe(12);
    expect(network?.without).toBe(9);
  });
});
