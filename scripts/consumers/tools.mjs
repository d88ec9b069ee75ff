import {existsSync} from 'node:fs';
import {mkdir, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {run} from './command.mjs';
import {CACHE} from './places.mjs';
import {Skipped} from './skip.mjs';

const SYSTEM = process.platform === 'win32' ? 'win' : process.platform;

/** The npm packages that contain only Node's binary. */
const NODES = [
  `node-bin-${SYSTEM}-${process.arch}`,
  `node-${SYSTEM}-${process.arch}`,
];

/**
 * Returns the path of a Node of this major version: the one that runs this, or
 * one from npm, kept for the next run.
 *
 * @throws Skipped if npm has none for this system.
 */
export async function nodeOfMajor(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const modules = await fromNpm(NODES, major);
  const name = NODES.find((each) => existsSync(join(modules, each)));
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  return join(modules, name, 'bin', binary);
}

/**
 * Returns the path of pnpm, from npm. It is not a dependency of this package,
 * because the lock file would have to list its binaries for every system.
 *
 * @throws Skipped if npm has none.
 */
export async function pnpm() {
  return join(await fromNpm(['pnpm'], '12'), '.bin', 'pnpm');
}

/**
 * Returns the path of Yarn 4, a program for Node, from npm.
 *
 * @throws Skipped if npm has none.
 */
export async function yarn() {
  const modules = await fromNpm(['@yarnpkg/cli-dist'], '4');
  return join(modules, '@yarnpkg', 'cli-dist', 'bin', 'yarn.js');
}

/** Other programs that run JavaScript. */
const RUNTIMES = {
  bun: {
    packageName: `@oven/bun-${process.platform}-${process.arch}`,
    major: '1',
    file: 'bin/bun',
    args: [],
  },
  deno: {
    packageName: `@deno/${process.platform}-${process.arch}-glibc`,
    major: '2',
    file: 'deno',
    args: ['run', '--allow-all', '--node-modules-dir=manual'],
  },
};

/**
 * Returns a program, with its first arguments, that runs a file instead of
 * Node, from npm.
 *
 * @throws Skipped if npm has none for this system.
 */
export async function runtimeOf(name) {
  const {packageName, major, file, args} = RUNTIMES[name];
  const modules = await fromNpm([packageName], major);
  return [join(modules, packageName, file), ...args];
}

/** Returns a node_modules with the first of these packages that npm has. */
async function fromNpm(names, version) {
  const [first] = names.slice(-1);
  const home = join(CACHE, `${first.replace(/[@/]/g, '_')}-${version}`);
  if (!existsSync(home)) await download(names, version, home);
  return join(home, 'node_modules');
}

/** Downloads whole or not at all: half a download would be taken for a tool. */
async function download(names, version, home) {
  const folder = `${home}-${process.pid}`;
  await mkdir(folder, {recursive: true});
  try {
    await writeFile(join(folder, 'package.json'), '{}');
    await installOneOf(names, version, folder);
    await rename(folder, home);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

async function installOneOf([name, ...others], version, cwd) {
  const specifier = `${name}@${version}`;
  try {
    await run('npm', ['install', '--no-audit', '--no-fund', specifier], {cwd});
  } catch (error) {
    if (others.length > 0) await installOneOf(others, version, cwd);
    else throw new Skipped(`${specifier} does not install: ${error.message}`);
  }
}
