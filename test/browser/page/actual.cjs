/** What tests ask of jest.requireActual, loaded when they do. */
module.exports = {
  'tfjs-normalization/patch': () => require('tfjs-normalization/patch'),
};
