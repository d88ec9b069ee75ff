import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {run} from './command.mjs';
import {install} from './install.mjs';
import {nodeOfMajor, runtimeOf} from './tools.mjs';
import {outcomeOfPage} from './page.mjs';
import {checkTypes} from './types.mjs';

/** Results required of every project, */
const RELOADED = {sameWeights: true};

/** and if it trained with shared/exercise.mjs, which also returns `loss`. */
const TRAINED = {unmoved: 0, isBatchNorm: true};

/**
 * The largest allowed difference between the predictions of a model and of the
 * same model reloaded. webgl may keep trained weights in another layout than
 * loaded ones, and sum in another order: a few roundings of values about 1.
 */
const GAPS = {webgl: 1e-6};

/**
 * Installs a project in an empty folder, builds it, runs it, and checks its
 * results.
 *
 * @returns Remarks.
 * @throws Skipped if it cannot be tested here; Error if it does not work.
 */
export async function tryProject(project, variant, tarball, folder) {
  await install(project, variant, tarball, folder);
  const remarks = [];
  if (project.types) {
    const others = await checkTypes(folder);
    if (others > 0) remarks.push(`${others} errors in types of other packages`);
  }
  const {scripts = {}} = manifestOf(folder);
  // Otherwise Next sends usage data of every build to its makers.
  const env = {NEXT_TELEMETRY_DISABLED: '1'};
  if (scripts.build) await run('npm', ['run', 'build'], {cwd: folder, env});
  for (const major of project.run ? variant.node : []) {
    const [program, ...before] = await programFor(project, major);
    for (const file of [project.run].flat()) {
      const printed = await run(program, [...before, file], {cwd: folder});
      check(JSON.parse(printed.trim().split('\n').pop()), project);
    }
  }
  if (project.page) {
    const {page} = project;
    const slash = page.lastIndexOf('/');
    const root = join(folder, page.slice(0, slash));
    const name = page.slice(slash + 1);
    check(await outcomeOfPage(root, name), project);
  }
  return remarks;
}

async function programFor({runtime, nodeOptions = []}, major) {
  if (runtime) return runtimeOf(runtime);
  const node =
    major === 'current' ? process.execPath : await nodeOfMajor(major);
  return [node, ...nodeOptions];
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function check(outcome, {expect = {}, readme}) {
  const expected = {...RELOADED, ...(readme ? {} : TRAINED), ...expect};
  const wrong = Object.entries(expected)
    .filter(([key, value]) => outcome[key] !== value)
    .map(([key, value]) => `${key} is ${outcome[key]} instead of ${value}`);
  const {backend, gap, loss} = outcome;
  if (!(gap <= (GAPS[backend] ?? 0))) wrong.push(`gap is ${gap} on ${backend}`);
  if (!readme && !Number.isFinite(loss)) wrong.push(`loss is ${loss}`);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}
