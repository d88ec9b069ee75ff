// No module of the package imports itself by way of others, not even for types alone.
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';
import * as ts from 'typescript';
import {ROOT} from './scripts.js';

type Graph = ReadonlyMap<string, readonly string[]>;

/** The imports of each module of a folder. AssemblyScript has rules of its own. */
function importsIn(folder: string): Array<[string, string[]]> {
  return readdirSync(join(ROOT, folder), {encoding: 'utf8', recursive: true})
    .filter((name) => name.endsWith('.ts') && !name.includes('assembly'))
    .map((name) => {
      const file = join(ROOT, folder, name);
      const {importedFiles} = ts.preProcessFile(readFileSync(file, 'utf8'));
      const found = importedFiles
        .filter(({fileName}) => fileName.startsWith('.'))
        .map(({fileName}) => join(dirname(file), fileName))
        .map((path) => relative(ROOT, path).replace(/\.js$/, '.ts'));
      return [join(folder, name), found];
    });
}

/** Returns modules that import each other in a circle, if there are any. */
function circleIn(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const visit = (
    module: string,
    path: readonly string[],
  ): string[] | undefined => {
    const start = path.indexOf(module);
    if (start >= 0) return [...path.slice(start), module];
    if (done.has(module)) return undefined;
    for (const next of graph.get(module) ?? []) {
      const circle = visit(next, [...path, module]);
      if (circle) return circle;
    }
    done.add(module);
    return undefined;
  };
  for (const module of graph.keys()) {
    const circle = visit(module, []);
    if (circle) return circle;
  }
  return undefined;
}

it('modules do not import each other in a circle', () => {
  const graph: Graph = new Map(['layers', 'src'].flatMap(importsIn));
  const unknown = [...graph.values()].flat().filter((to) => !graph.has(to));
  expect(unknown).toEqual([]);
  expect(graph.size).toBeGreaterThan(100);
  expect(circleIn(graph)).toBeUndefined();
});

it('a circle would be found', () => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['b', []],
    ['c', ['b', 'd']],
    ['d', ['c']],
  ]);
  expect(circleIn(graph)).toEqual(['c', 'd', 'c']);
});
