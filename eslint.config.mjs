import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Imports go one way: layers → layer_support → ops → kernels, and models → layers. */
const mayNotImport = (from, to, why) => ({
  files: [`${from}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: to.map((pattern) => ({group: [pattern], message: why})),
      },
    ],
  },
});

export default tseslint.config(
  {
    ignores: [
      ...['dist', 'build', 'coverage', 'out', 'node_modules'],
      // AssemblyScript is another language.
      'src/kernels/simd/assembly',
      'src/kernels/simd/binary.generated.ts',
      // A program of a project that has its own settings.
      'test/consumers/shared/*.ts',
      // What follows code of the README.
      'test/consumers/readme-*/**',
    ],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [
      ...tseslint.configs.strictTypeChecked,
      ...tseslint.configs.stylisticTypeChecked,
    ],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/array-type': ['error', {default: 'array-simple'}],
      // A template with a number in it says what it means.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        {allowNumber: true, allowBoolean: true},
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        {ignoreArrowShorthand: true},
      ],
      eqeqeq: ['error', 'always', {null: 'ignore'}],
      'no-console': 'off',
    },
  },
  {
    files: ['src/**/*.ts', 'layers/**/*.ts'],
    rules: {
      'no-console': ['error', {allow: ['warn']}],
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.property.name=/^(at|findLast|findLastIndex|hasOwn|toReversed|toSorted|toSpliced|withResolvers)$/]',
          message: 'Newer than ES2020: Hermes 0.12 and older browsers lack it.',
        },
        {
          selector: 'ExportAllDeclaration[exported]',
          message: "Metro's Babel does not know `export * as`.",
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'examples/*.ts'],
    rules: {
      // tfjs's own types force these on whoever calls it.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
    },
  },
  mayNotImport(
    'src/kernels',
    ['**/ops/**', '**/layer_support/**', '**/layers/**', '**/models/**'],
    'A kernel knows views, and neither ops nor layers.',
  ),
  mayNotImport(
    'src/ops',
    ['**/layer_support/**', '**/layers/**', '**/models/**'],
    'An op knows kernels, not layers.',
  ),
  mayNotImport(
    'src/layer_support',
    ['**/kernels/**', '**/layers/**', '**/models/**'],
    'Layers stand on this, and it on ops.',
  ),
  mayNotImport(
    'layers',
    ['**/kernels/**', '**/models/**'],
    'A layer calls ops, and does no arithmetic of its own.',
  ),
  mayNotImport(
    'src/statistics',
    ['**/layers/**', '**/models/**'],
    'Statistics of data know no model.',
  ),
  mayNotImport(
    'src/keras_file',
    ['**/kernels/**', '**/ops/**', '**/layers/**', '**/models/**', 'node:*'],
    'The container knows bytes alone, and runs in browsers.',
  ),
  {
    files: ['src/keras_file/**/*.ts'],
    rules: {'no-restricted-globals': ['error', 'Buffer', 'process']},
  },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        globalThis: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
        performance: 'readonly',
        require: 'readonly',
        module: 'writable',
        exports: 'writable',
        __dirname: 'readonly',
        __filename: 'readonly',
      },
    },
  },
  {
    files: ['test/consumers/**'],
    languageOptions: {
      globals: {
        document: 'readonly',
        postMessage: 'readonly',
        Worker: 'readonly',
      },
    },
  },
);
