// Reports at the end of a run which tests were skipped.
const {backends} = require('./backends.js');
const {native} = require('./native.js');

module.exports = class {
  onRunComplete() {
    if (process.env.KERAS_MODELS === undefined) {
      console.log(
        '\nSkipped: models that Keras makes on the fly, and its check of mutants. ' +
          '"npm run test:keras" tests with them.',
      );
    }
    if (native().why !== undefined) {
      console.log(
        `\nSkipped: every test of the native kernels: ${native().why}. ` +
          '"npm run native" builds them.',
      );
    }
    for (const {name, why} of backends().skipped) {
      console.log(
        `\nSkipped: every test on the backend ${name}: ${why}. ` +
          `"npm run add-tensorflow" adds it.`,
      );
    }
  }
};
