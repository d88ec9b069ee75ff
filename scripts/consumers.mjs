// `npm run consumers`: installs the packed package into the projects of
// test/consumers, one after another, as users would, and runs each of them.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Command} from 'commander';
import {packInto} from './pack.mjs';
import {run} from './consumers/command.mjs';
import {allProjects} from './consumers/projects.mjs';
import {Skipped} from './consumers/skip.mjs';
import {tryProject} from './consumers/try.mjs';

const required = process.env.REQUIRE_CONSUMERS === '1';

const {only, all: isAll} = new Command('consumers')
  .description('Tries the packed package in projects of every kind.')
  .option('--only <names...>', 'projects by their folder in test/consumers')
  .option('--all', 'also what is tried before a release only', false)
  .addHelpText(
    'after',
    '\nWith REQUIRE_CONSUMERS=1 a project that cannot run is a failure.',
  )
  .parse()
  .opts();

const projects = chosen();
const folder = await mkdtemp(join(tmpdir(), 'tfjs-normalization-consumers-'));
try {
  process.exitCode = (await tryAll()) ? 0 : 1;
} finally {
  await rm(folder, {recursive: true, force: true});
}

function chosen() {
  const all = allProjects();
  const names = all.map(({name}) => name);
  const unknown = (only ?? []).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    console.error(`consumers: no project ${unknown}, only ${names.join(', ')}`);
    process.exit(2);
  }
  return only === undefined ? all : all.filter(({name}) => only.includes(name));
}

function isDue({when}) {
  return when !== 'release' || isAll || only !== undefined;
}

async function tryAll() {
  const {path, size} = packInto(folder);
  console.log(`packed: ${Math.ceil(size / 1024)} KB`);
  const versions = await tfjsVersions();
  const tried = {ok: [], FAILED: [], skipped: []};
  for (const project of projects) {
    for (const variant of project.variants.filter(isDue)) {
      const tfjs = variant.tfjs === 'newest' ? versions.at(-1) : variant.tfjs;
      const verdict = await tryOne(project, {...variant, tfjs}, path);
      tried[verdict].push(project.name);
    }
  }
  const {ok, FAILED, skipped} = tried;
  const named = (names) => [...new Set(names)].join(', ') || 'none';
  console.log(
    `${ok.length} work; failed: ${named(FAILED)}; skipped: ${named(skipped)}`,
  );
  return FAILED.length === 0 && !(required && skipped.length > 0);
}

async function tryOne(project, variant, tarball) {
  const begin = Date.now();
  const place = await mkdtemp(join(folder, `${project.name}-`));
  const say = (verdict, details = []) => {
    const seconds = Math.round((Date.now() - begin) / 1000);
    const notes = details.map((detail) => `; ${detail}`).join('');
    const line = `${project.name}: ${describe(project, variant)}${notes}`;
    console.log(`${verdict.padEnd(8)}${line}, ${seconds} s`);
    return verdict;
  };
  try {
    return say('ok', await tryProject(project, variant, tarball, place));
  } catch (error) {
    if (error instanceof Skipped) return say('skipped', [error.message]);
    say('FAILED');
    console.error(error.message.replace(/^/gm, '    '));
    return 'FAILED';
  } finally {
    await rm(place, {recursive: true, force: true});
  }
}

function describe({what, run: file, runtime}, variant) {
  const {installer, tfjs, node, versions} = variant;
  const tools = Object.entries(versions).map((tool) => `, ${tool.join(' ')}`);
  const nodes = node.map((major) =>
    major === 'current' ? process.versions.node.split('.')[0] : major,
  );
  const where = file && !runtime ? `, Node ${nodes.join(', ')}` : '';
  return `${what}${tools.join('')}, by ${installer}, tfjs ${tfjs}${where}`;
}

/** The versions of tfjs 4, with release candidates, from oldest to newest. */
async function tfjsVersions() {
  const args = ['view', '@tensorflow/tfjs', 'versions', '--json'];
  const all = JSON.parse(await run('npm', args, {cwd: folder}));
  const rank = (version) => (version.includes('-') ? version : `${version}-z`);
  return all
    .filter((version) => version.startsWith('4.'))
    .sort((a, b) => rank(a).localeCompare(rank(b), 'en', {numeric: true}));
}
