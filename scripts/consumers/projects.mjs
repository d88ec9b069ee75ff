import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {CONSUMERS} from './places.mjs';

/** What a variant of a project is, where its consumer.json says nothing else. */
const DEFAULTS = {
  installer: 'npm',
  tfjs: '4.22.0',
  node: ['current'],
  versions: {},
};

/**
 * Lists the projects of test/consumers, each with its name, its folder and the
 * contents of its consumer.json:
 *
 * - `what` it is, in words;
 * - `run`, the file or files that Node runs, or `page`, the page that a browser
 *   opens. What the page asks of another host is in a folder beside it, which has that
 *   host's name;
 * - `nodeOptions`: what Node is told before the file;
 * - `runtime`: `bun` or `deno`, which run the file in place of Node;
 * - `types`: whether its TypeScript is checked;
 * - `readme`: the block of code, of the README or of the document `file`, that goes
 *   before the file `into`, or makes it. Without a package.json, the README also says what is installed;
 * - `needs`: what has to be in this checkout;
 * - `expect`: what it must tell, besides what all must;
 * - `variants`: with which installer (`npm`, `pnpm`, `strict pnpm` or `yarn`), tfjs,
 *   Nodes and `versions` of its tools it is tried, and `when`, which may also be said
 *   of the project: `release` for before a release only.
 */
export function allProjects() {
  return readdirSync(CONSUMERS)
    .filter((name) => existsSync(settingsOf(name)))
    .map((name) => {
      const {
        variants = [{}],
        when,
        ...settings
      } = JSON.parse(readFileSync(settingsOf(name), 'utf8'));
      return {
        name,
        folder: join(CONSUMERS, name),
        ...settings,
        variants: variants.map((each) => ({...DEFAULTS, when, ...each})),
      };
    });
}

function settingsOf(name) {
  return join(CONSUMERS, name, 'consumer.json');
}
