import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {CONSUMERS} from './places.mjs';

/** Defaults of a variant, where consumer.json does not override them. */
const DEFAULTS = {installer: 'npm', tfjs: '4.22.0', node: ['current']};

/**
 * Lists the projects of test/consumers, each with its name, its folder and the
 * contents of its consumer.json:
 *
 * - `what`: a description;
 * - `run`: the file that Node runs; or `page`: the page that a browser opens;
 * - `nodeOptions`: Node's options, before the file;
 * - `runtime`: `bun` or `deno`, to run the file instead of Node;
 * - `when`: `release` for a project that runs only before a release;
 * - `types`: true to check its TypeScript;
 * - `readme`: the README's block of code to put before the file `into`. Without
 *   a package.json, the README also gives the packages to install;
 * - `needs`: a package that this checkout must have;
 * - `complaint`: part of a complaint that its page should cause in the browser;
 * - `expect`: results beyond those of all projects;
 * - `variants`: the installers (`npm`, `pnpm`, `strict pnpm` or `yarn`), tfjs
 *   versions and Nodes to test.
 */
export function allProjects() {
  return readdirSync(CONSUMERS)
    .filter((name) => existsSync(settingsOf(name)))
    .map((name) => {
      const {variants = [{}], ...settings} = JSON.parse(
        readFileSync(settingsOf(name), 'utf8'),
      );
      return {
        name,
        folder: join(CONSUMERS, name),
        ...settings,
        variants: variants.map((variant) => ({...DEFAULTS, ...variant})),
      };
    });
}

function settingsOf(name) {
  return join(CONSUMERS, name, 'consumer.json');
}
