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

async function installAsTold(project, variant, tarball, cwd) {
  const {installer, tfjs} = variant;
  for (const file of manifestsOf(cwd)) pin(file, tarball, variant);
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

/** Code of the project's own, if there is any, checks what the README's has made. */
async function takeFromReadme({into, ...block}, folder) {
  const file = join(folder, into);
  const code = await readmeBlock(block);
  const own = existsSync(file) ? `\n${readFileSync(file, 'utf8')}` : '';
  writeFileSync(file, `${code}${own}`);
}

/** The project's package.json, and those of the packages in its workspace. */
function manifestsOf(folder) {
  const file = join(folder, 'package.json');
  const {workspaces = []} = read(file);
  return [
    file,
    ...workspaces.map((each) => join(folder, each, 'package.json')),
  ];
}

/** Where a project names one version of tfjs, it means that one. */
function pin(file, tarball, {tfjs, versions}) {
  const manifest = read(file);
  const {dependencies = {}, devDependencies} = manifest;
  for (const [name, version] of Object.entries(dependencies)) {
    if (name === PACKAGE) dependencies[name] = `file:${tarball}`;
    if (name.startsWith('@tensorflow/') && version.startsWith('^')) {
      dependencies[name] = tfjs;
    }
  }
  manifest.devDependencies = {...devDependencies, ...versions};
  writeFileSync(file, JSON.stringify(manifest, null, 2));
}

function read(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** It takes packages from where npm does, and asks for a lock file where CI is set. */
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
