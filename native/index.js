'use strict';
// Loads the addon for this machine. It registers its ops with the TensorFlow that
// @tensorflow/tfjs-node has loaded, and links with nothing.
const {existsSync} = require('node:fs');
const {join} = require('node:path');
const {mostThreads} = require('./threads.js');

const PREBUILT = join(__dirname, 'prebuilt');

/** The addon that tfjs-node itself loads, which TensorFlow is found through. */
const BINDING = 'tfjs_binding.node';

exports.install = () => {
  const addon = load();
  const binding = Object.keys(require.cache).find((file) =>
    file.endsWith(BINDING),
  );
  const version = addon.install(binding ?? '');
  addon.threads(mostThreads());
  return {
    version,
    threads: (most) => addon.threads(most),
    instructions: (name) => addon.instructions(name),
  };
};

function load() {
  const machine = `${process.platform}-${process.arch}`;
  const file = join(PREBUILT, machine, 'tfjs_normalization.node');
  if (!existsSync(file)) throw new Error(`there is no addon for ${machine}`);
  const addon = require(file);
  // Without Node-API it exports nothing.
  if (typeof addon.install !== 'function') {
    throw new Error('this program has no Node-API for the addon');
  }
  return addon;
}
