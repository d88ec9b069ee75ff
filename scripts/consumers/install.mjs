import {cpSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {run} from './command.mjs';
import {CONSUMERS, ROOT} from './places.mjs';
import {readmeBlock, readmeCommands} from './readme.mjs';
import {Skipped} from './skip.mjs';
import {pnpm, yarn} from './tools.mjs';

const PACKAGE = 'tfjs-normalization';
const TFJS_NODE = '@tensorflow/tfjs-node';

const NPM = ['install', '--no-audit', '--no-fund', '--prefer-offline'];

/**
 * In CI, pnpm demands a lock file, and a decision about each install script;
 * tfjs has one that does nothing.
 */
const PNPM = [
  ...['install', '--prefer-offline'],
  ...['--no-frozen-lockfile', '--ignore-scripts'],
];

/** A package can import only its own dependencies and peers. */
const PNPM_STRICT = [
  ...['--config.hoist=false', '--config.auto-install-peers=false'],
  '--config.strict-peer-dependencies=true',
];

/** Copies a project to an empty folder and installs it, with this tarball. */
export async function install(project, variant, tarball, folder) {
  cpSync(project.folder, folder, {recursive: true});
  cpSync(join(CONSUMERS, 'shared'), join(folder, 'shared'), {recursive: true});
  if (project.readme) await takeFromReadme(project.readme, folder);
  if (existsSync(join(folder, 'package.json'))) {
    await installAsTold(project, variant, tarball, folder);
  } else {
    await installByReadme(tarball, folder);
  }
  if (project.needs === TFJS_NODE) takeBinding(folder);
}

async function installAsTold(project, {installer, tfjs}, tarball, cwd) {
  pin(join(cwd, 'package.json'), tarball, tfjs);
  if (installer === 'npm') {
    await run('npm', [...NPM, ...flagsFor(project, tfjs)], {cwd});
  } else if (installer === 'yarn') {
    await run(process.execPath, [await yarn(), 'install'], {
      cwd,
      env: {...process.env, ...(await yarnSettings(cwd))},
    });
  } else {
    const flags = installer === 'pnpm' ? [] : PNPM_STRICT;
    await run(await pnpm(), [...PNPM, ...flags], {cwd});
  }
}

/**
 * Uses the README's command, with the tarball in place of the package's name.
 */
async function installByReadme(tarball, cwd) {
  const [command] = await readmeCommands('Install');
  const [program, ...args] = command
    .split(' ')
    .map((word) => (word === PACKAGE ? tarball : word));
  await run(program, args, {cwd});
}

/**
 * Takes a block of code from the README, for the project's own code to check.
 */
async function takeFromReadme({into, ...block}, folder) {
  const file = join(folder, into);
  const code = await readmeBlock(block);
  writeFileSync(file, `${code}\n${readFileSync(file, 'utf8')}`);
}

function pin(file, tarball, tfjs) {
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const {dependencies} = manifest;
  for (const name of Object.keys(dependencies)) {
    if (name === PACKAGE) dependencies[name] = `file:${tarball}`;
    if (name.startsWith('@tensorflow/')) dependencies[name] = tfjs;
  }
  writeFileSync(file, JSON.stringify(manifest, null, 2));
}

/** Uses npm's registry. Yarn demands a lock file where CI is set. */
async function yarnSettings(cwd) {
  const registry = await run('npm', ['config', 'get', 'registry'], {cwd});
  return {
    YARN_NPM_REGISTRY_SERVER: registry.trim(),
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
  };
}

function flagsFor({needs}, tfjs) {
  return [
    // To npm, no range of peers includes a release candidate.
    ...(tfjs.includes('-') ? ['--legacy-peer-deps'] : []),
    // It comes from this checkout, which may have had to build it.
    ...(needs === TFJS_NODE ? ['--ignore-scripts'] : []),
  ];
}

function takeBinding(folder) {
  for (const part of ['deps', 'lib/napi-v8']) {
    const from = join(ROOT, 'node_modules', TFJS_NODE, part);
    if (!existsSync(from)) {
      throw new Skipped(
        `${TFJS_NODE} is not in this checkout: npm run add-tensorflow adds it`,
      );
    }
    cpSync(from, join(folder, 'node_modules', TFJS_NODE, part), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
}
