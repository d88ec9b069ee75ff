const {backends} = require('./test/support/backends.js');

const shared = {
  rootDir: __dirname,
  testEnvironment: '<rootDir>/test/support/environment.js',
  transform: {
    '\\.ts$': ['ts-jest', {tsconfig: '<rootDir>/test/tsconfig.json'}],
  },
  moduleNameMapper: {
    '^tfjs-normalization$': '<rootDir>/src/index.ts',
    '^tfjs-normalization/(patch)$': '<rootDir>/src/$1.ts',
    '^tfjs-normalization/node$': '<rootDir>/src/node/index.ts',
    '^(\\.{1,2}/.*)\\.js$': ['$1.ts', '$1.js'],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/'],
};

/** What computes is tested on every backend; the rest once, on cpu. */
const COMPUTING = ['kernels', 'ops', 'layers', 'models'];
const OTHER = ['node', 'bin', 'package', 'docs', 'examples'];

const tests = (folders) =>
  folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`);

const project = (displayName, backend, folders) => ({
  ...shared,
  displayName,
  globals: {BACKEND: backend},
  setupFilesAfterEnv: ['<rootDir>/test/support/setup.ts'],
  testMatch: tests(folders),
});

module.exports = {
  projects: [
    ...backends().run.map((name) => project(name, name, COMPUTING)),
    project('once', 'cpu', OTHER),
  ],
  reporters: ['default', '<rootDir>/test/support/skipped_reporter.js'],
  // Asked for with --coverage, as the gate does.
  coverageThreshold: {global: {branches: 95}},
  // The command runs in processes of its own.
  collectCoverageFrom: ['src/**/*.ts', '!src/bin/**', 'layers/**/*.ts'],
  testTimeout: 60_000,
};
