import type {Backend} from '../../contract.js';

/**
 * tfjs-node in a bundle for browsers, which have no such backend: package.json puts this
 * file in the place of `kernels.ts` there ("browser").
 */
export const tensorflow: Backend = {
  name: 'tensorflow',
  make: () => {
    throw new Error('a bundle for browsers is without them');
  },
};
