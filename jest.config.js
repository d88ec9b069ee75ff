const {backends} = require('./test/support/backends.js');
const {native} = require('./test/support/native.js');

const shared = {
  rootDir: __dirname,
  testEnvironment: '<rootDir>/test/support/environment.js',
  transform: {
    '\\.ts$': ['ts-jest', {tsconfig: '<rootDir>/test/tsconfig.json'}],
  },
  moduleNameMapper: {
    '^tfjs-normalization$': '<rootDir>/src/index.ts',
    '^tfjs-normalization/(patch|keras)$': '<rootDir>/src/$1.ts',
    '^tfjs-normalization/node$': '<rootDir>/src/node/index.ts',
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/'],
};

/** What computes is tested on every backend; the rest once, on cpu. */
const COMPUTING = [
  ...['kernels', 'ops', 'layer_support', 'layers', 'statistics', 'models'],
];
/** What computes by the native kernels of tfjs-node, where they are built. */
const NATIVE = ['kernels', 'ops', 'layers', 'native'];
const OTHER = [
  ...['keras_file', 'node', 'bin', 'package', 'docs', 'examples', 'bench'],
];

const tests = (folders) =>
  folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`);

/** The kernels of one backend, called directly. */
const ofOthers = (backend) =>
  ['cpu', 'webgl', 'webgpu']
    .filter((name) => name !== backend)
    .map((name) => `<rootDir>/test/kernels/backends/${name}.test.ts`);

const project = (displayName, backend, folders, isNative = false) => ({
  ...shared,
  displayName,
  globals: {BACKEND: backend, NATIVE: isNative},
  setupFilesAfterEnv: ['<rootDir>/test/support/setup.ts'],
  testMatch: tests(folders),
  testPathIgnorePatterns: ['/node_modules/', ...ofOthers(backend)],
});

module.exports = {
  projects: [
    ...backends().run.map((name) => project(name, name, COMPUTING)),
    ...(native().why === undefined
      ? [project('native', 'tensorflow', NATIVE, true)]
      : []),
    project('once', 'cpu', OTHER),
  ],
  // By default one processor stays free: of two, half.
  maxWorkers: '100%',
  reporters: ['default', '<rootDir>/test/support/end_reporter.js'],
  // Asked for with --coverage, as the gate does.
  coverageThreshold: {global: {branches: 95}},
  collectCoverageFrom: [
    'src/**/*.ts',
    'layers/**/*.ts',
    // AssemblyScript, which is compiled.
    '!src/kernels/simd/assembly/**',
    // Node has no GPU, and replaces no files: the tests in a browser run these.
    '!src/kernels/backends/web{gl,gpu}/**',
    '!src/kernels/tfjs_private_gpu.ts',
    '!src/**/*.browser.ts',
    // The command, which runs in processes of its own.
    '!src/bin/**',
  ],
  testTimeout: 60_000,
};
