// `npm test`: a few minutes on two cores. `npm run test:all` runs everything.
const all = require('./jest.config.js');

/** Where a backend differs from cpu, these show it first. */
const ON_OTHER_BACKENDS = [
  'kernels/conformance',
  'layers/contract',
  'layers/keras_fixtures',
  'layers/torch_fixtures',
];

/** What is done once, without the programs, which take as long as all of cpu. */
const ONCE = ['docs/*', 'keras_file/*', 'node/*'];

const tests = (paths) => paths.map((path) => `<rootDir>/test/${path}.test.ts`);

const shortened = {
  wasm: tests(ON_OTHER_BACKENDS),
  tensorflow: tests(ON_OTHER_BACKENDS),
  native: tests([...ON_OTHER_BACKENDS, 'native/*']),
  once: tests(ONCE),
};

module.exports = {
  ...all,
  projects: all.projects.map((project) => ({
    ...project,
    testMatch: shortened[project.displayName] ?? project.testMatch,
  })),
  reporters: [
    'default',
    [
      '<rootDir>/test/support/end_reporter.js',
      {
        leftOut:
          'on wasm, tensorflow and its native kernels all but the conformance of kernels, the contract of ' +
          'layers and the fixtures of Keras and PyTorch; ' +
          'the tests of the command, the package, the examples and the benchmark',
      },
    ],
  ],
};
