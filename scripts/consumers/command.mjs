import {execFile} from 'node:child_process';

/** How long a command may take, in milliseconds. */
const PATIENCE = 300_000;

/** How many lines of a failed command are worth reading. */
const LINES = 25;

/**
 * Runs a program and waits for it.
 *
 * @returns What it printed on stdout.
 * @throws Error with the end of what it printed, if it fails.
 */
export function run(program, args, {cwd, env = {}}) {
  const options = {
    cwd,
    // A warning about a user's npm settings is no business of ours.
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
      const end = printed.slice(-LINES).join('\n');
      reject(Object.assign(new Error(`${command}\n${end}`), {stdout}));
    });
  });
}
