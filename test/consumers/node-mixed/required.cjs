const normalization = require('tfjs-normalization');
const {unpatch} = require('tfjs-normalization/patch');

module.exports = {...normalization, normalization, unpatch};
