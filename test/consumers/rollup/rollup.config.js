import commonjs from '@rollup/plugin-commonjs';
import resolve from '@rollup/plugin-node-resolve';

export default {
  input: 'src/main.js',
  output: {file: 'public/bundle.js', format: 'es'},
  context: 'globalThis',
  onwarn: () => undefined,
  plugins: [resolve({browser: true}), commonjs()],
};
