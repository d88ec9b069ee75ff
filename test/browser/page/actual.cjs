/** The modules for jest.requireActual, loaded on request. */
module.exports = {
  'tfjs-normalization/patch': () => require('tfjs-normalization/patch'),
};
