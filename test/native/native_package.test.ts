// The search for the native package: what it is asked, and what it says.
import * as nodeModule from 'node:module';
import {withNativeOps} from '../../src/kernels/backends/tensorflow/native_package.js';

const VARIABLE = 'TFJS_NORMALIZATION_NATIVE';

/** As in a Node before 20.16. */
const OLD = {configurable: true, value: undefined};

/** Looks with the variable at this value. */
function look(
  wish: string | undefined,
  make: () => string = () => 'made',
): {found: string | undefined; said: string[]} {
  const before = process.env[VARIABLE];
  const said: string[] = [];
  const warn = jest
    .spyOn(console, 'warn')
    .mockImplementation((line: string) => void said.push(line));
  try {
    if (wish === undefined) Reflect.deleteProperty(process.env, VARIABLE);
    else process.env[VARIABLE] = wish;
    return {found: withNativeOps(make), said};
  } finally {
    warn.mockRestore();
    process.env[VARIABLE] = before;
  }
}

/** Node's module `node:module`, in which a package gives this, or is not there. */
function nodeWith(given: unknown): jest.SpyInstance {
  const createRequire = (): unknown =>
    Object.assign(() => given, {
      resolve: (name: string) => {
        if (given === undefined) throw new Error(`no ${name}`);
        return name;
      },
    });
  return jest
    .spyOn(process, 'getBuiltinModule')
    .mockReturnValue(Object.assign({}, nodeModule, {createRequire}));
}

afterEach(() => jest.restoreAllMocks());

it.each([undefined, '', '1'])('makes kernels where it is %j', (wish) => {
  expect(look(wish)).toEqual({found: 'made', said: []});
});

it('does not look for it where it is "0"', () => {
  const node = nodeWith(undefined);
  expect(look('0')).toEqual({found: undefined, said: []});
  expect(node).not.toHaveBeenCalled();
});

describe.each<[string, () => void, () => string, RegExp]>([
  [
    'it is not installed',
    () => nodeWith(undefined),
    () => 'made',
    /tfjs-normalization-native is not installed$/,
  ],
  [
    'its ops are of another version',
    () => nodeWith({install: () => ({version: 7})}),
    () => 'made',
    /has ops of version 7, and 1 is needed$/,
  ],
  [
    'TensorFlow does not run its ops',
    () => undefined,
    () => {
      throw new Error('no such op');
    },
    /and others compute: no such op$/,
  ],
  [
    'Node is too old to look',
    () => Object.defineProperty(process, 'getBuiltinModule', OLD),
    () => 'made',
    /this Node is too old: 20\.16 and 22\.3 can find it$/,
  ],
])('where %s', (_, arrange, make, line) => {
  const own = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule');
  afterEach(() => {
    if (own) Object.defineProperty(process, 'getBuiltinModule', own);
  });

  it('says so if it was asked for', () => {
    arrange();
    expect(look('1', make)).toEqual({
      found: undefined,
      said: [expect.stringMatching(line)],
    });
  });

  it('is silent if it was not', () => {
    arrange();
    expect(look(undefined, make)).toEqual({found: undefined, said: []});
  });
});

it('refuses another value of the variable', () => {
  const {found, said} = look('yes');
  expect(found).toBeUndefined();
  expect(said).toEqual([
    expect.stringMatching(
      /TFJS_NORMALIZATION_NATIVE must be 0 or 1, and is yes$/,
    ),
  ]);
});
