import * as fc from 'fast-check';

/**
 * Properties try the same cases in every run, so that a change is judged by what
 * it changes. `npm run test:random` has them try others.
 */
const SEED = 20;

fc.configureGlobal({seed: Number(process.env.RANDOM_SEED ?? SEED)});
