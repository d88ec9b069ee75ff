import {compare} from '../shared/exercise.mjs';

trainAndReload().then(async ({model, pixels, loaded}) => {
  globalThis.outcome = await compare(tf, model, loaded, pixels);
});
