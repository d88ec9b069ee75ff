'use strict';
// The number of threads to compute with.
const {readFileSync} = require('node:fs');
const os = require('node:os');
const {posix} = require('node:path');

/** The memory is the limit: more threads than this add little. */
const ENOUGH = 8;

/** Variables by which TensorFlow and OpenMP are told the same. */
const VARIABLES = ['TF_NUM_INTRAOP_THREADS', 'OMP_NUM_THREADS'];

/**
 * The number of threads to compute with: 8, or as many as there are processors for this
 * process, as the quota of its cgroup pays for, or as a variable of the environment allows,
 * if that is less.
 *
 * @param machine What there is; defaults to this machine. For tests.
 */
exports.mostThreads = ({
  environment = process.env,
  processors = processorsHere(),
  read = readOrNothing,
} = {}) => {
  const limits = [
    processors,
    quota(read),
    ...VARIABLES.map((name) => numberOf(environment[name])),
  ];
  return Math.max(1, Math.min(ENOUGH, ...limits));
};

function processorsHere() {
  return os.availableParallelism?.() ?? os.cpus().length;
}

/** A positive whole number, the first of a list; no limit where there is none. */
function numberOf(text) {
  const [, digits] = /^\s*(\d+)\s*(,.*)?$/.exec(text ?? '') ?? [];
  const number = Number(digits);
  return number >= 1 ? number : Infinity;
}

/** The processors that the cgroup of this process, and those around it, pay for. */
function quota(read) {
  const groups = read('/proc/self/cgroup').split('\n').filter(Boolean);
  const limits = groups.flatMap((line) => {
    const [, controllers = '', path = '/'] =
      /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === '') return limitsOf('/sys/fs/cgroup', path, second);
    if (!controllers.split(',').includes('cpu')) return [];
    return [controllers, 'cpu'].flatMap((folder) =>
      limitsOf(`/sys/fs/cgroup/${folder}`, path, first),
    );
  });
  const least = Math.min(Infinity, ...limits);
  return Math.max(1, Math.floor(least));

  function first(folder) {
    const [time, period] = ['quota', 'period'].map((what) =>
      Number(read(posix.join(folder, `cpu.cfs_${what}_us`)) || NaN),
    );
    return time / period;
  }

  function second(folder) {
    const [time, period] = read(posix.join(folder, 'cpu.max')).split(' ');
    return Number(time || NaN) / Number(period);
  }
}

/** The limits of a group and of all around it. In a container the path may be the host's. */
function limitsOf(root, path, limitOf) {
  const names = path.split('/').filter(Boolean);
  const limits = [];
  for (let depth = names.length; depth >= 0; depth--) {
    const limit = limitOf(posix.join(root, ...names.slice(0, depth)));
    // "max" and -1 stand for none.
    if (limit > 0) limits.push(limit);
  }
  return limits;
}

function readOrNothing(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
