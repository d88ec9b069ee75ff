import {execFile} from 'node:child_process';

/** The time limit of a command, in milliseconds. */
const PATIENCE = 300_000;

/** The number of lines of a failed command's output to report. */
const LINES = 25;

/**
 * Runs a program and waits for it.
 *
 * @returns Its output on stdout.
 * @throws Error with the end of its output, if it fails.
 */
export function run(program, args, {cwd, env = {}}) {
  const options = {
    cwd,
    // Warnings about a user's npm settings do not matter here.
    env: {...process.env, npm_config_loglevel: 'error', ...env},
    maxBuffer: Infinity,
    timeout: PATIENCE,
    shell: process.platform === 'win32',
  };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const printed = `${stdout}\n${stderr}`.split('\n').filter(Boolean);
      const command = [program, ...args].join(' ');
      const end = printed.slice(-LINES).join('\n') || error.message;
      reject(Object.assign(new Error(`${command}\n${end}`), {stdout}));
    });
  });
}
