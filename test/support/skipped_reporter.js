// Says at the end of a run what it did not test.
const {backends} = require('./backends.js');

module.exports = class {
  onRunComplete() {
    for (const {name, why} of backends().skipped) {
      console.log(
        `\nSkipped: every test on the backend ${name}: ${why}. ` +
          `"npm run add-tensorflow" adds it.`,
      );
    }
  }
};
