import {parseOptions} from '../../examples/distributed/options.js';
import {InputError} from '../../tools/errors.js';

describe('the options of distributed', () => {
  const parse = (...args: string[]): unknown =>
    parseOptions(args, () => undefined);

  it('have defaults', () => {
    expect(parse()).toMatchObject({
      engine: 'tensorflow',
      python: expect.stringMatching(/python3?$/) as unknown,
    });
    expect(
      parse('--engine', 'jax', '--python', 'py', '--out', 'folder'),
    ).toEqual({engine: 'jax', python: 'py', out: 'folder'});
    expect(parse('--help')).toBeUndefined();
  });

  it.each([['--engine', 'torch'], ['--other'], ['file']])(
    'refuse %s %s',
    (...args) => {
      expect(() => parse(...args)).toThrow(InputError);
    },
  );
});
