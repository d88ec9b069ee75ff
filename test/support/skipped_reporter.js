// Says at the end of a run what it did not test.
const {backends} = require('./backends.js');

module.exports = class {
  onRunComplete() {
    if (process.env.KERAS_MODELS === undefined) {
      console.log(
        '\nSkipped: models that Keras makes anew, and what it says to mutants. ' +
          '"npm run test:keras" tests with them.',
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
