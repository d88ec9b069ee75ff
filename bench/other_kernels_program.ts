/** Times this package without its native kernels on request: see serve.ts. */
import {PACKAGE} from '../examples/digits/norm_layers.js';
import {chooseNative} from './native.js';
import {serve} from './serve.js';
import {describedAs, factoryIn} from './whole_programs.js';

chooseNative(false);

void serve(process.argv[2], ({program}) => {
  if (program === undefined) throw new Error('only programs are timed here');
  const {run, held} = describedAs(program).prepare(
    factoryIn(PACKAGE, program.norm),
  );
  return {programs: {ours: run}, held};
});
