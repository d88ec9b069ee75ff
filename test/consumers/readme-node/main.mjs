import {compare} from './shared/exercise.mjs';

console.log(JSON.stringify(await compare(tf, model, loaded, pixels)));
