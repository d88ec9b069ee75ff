import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';

/**
 * The links of the pages in a folder that lead to no file of it, or to no place in one.
 * Links to other sites are not followed.
 */
export function brokenLinks(folder) {
  const pages = readdirSync(folder, {recursive: true})
    .filter((name) => name.endsWith('.html'))
    .map((name) => join(folder, name));
  const anchors = new Map();
  const anchorsOf = (page) => {
    if (!anchors.has(page))
      anchors.set(page, idsOf(readFileSync(page, 'utf8')));
    return anchors.get(page);
  };
  return pages.flatMap((page) =>
    linksOf(readFileSync(page, 'utf8'))
      .map((link) => ({
        link,
        problem: problemOf(link, page, folder, anchorsOf),
      }))
      .filter(({problem}) => problem !== undefined)
      .map(
        ({link, problem}) => `${relative(folder, page)}: ${link}: ${problem}`,
      ),
  );
}

function idsOf(html) {
  return new Set(
    [...html.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id]) => decode(id)),
  );
}

function linksOf(html) {
  const found = html.matchAll(/\s(?:href|src)="([^"]*)"/g);
  return [...new Set([...found].map(([, link]) => decode(link)))];
}

function problemOf(link, page, folder, anchorsOf) {
  if (/^(https?|mailto|data):/.test(link)) return undefined;
  const [path, anchor = ''] = link.split('#');
  const [file] = path.split('?');
  const target = file === '' ? page : resolve(dirname(page), decodeURI(file));
  if (relative(folder, target).startsWith('..')) return 'leaves the site';
  if (!existsSync(target) || !statSync(target).isFile()) return 'no such file';
  if (anchor === '' || !target.endsWith('.html')) return undefined;
  return anchorsOf(target).has(decodeURIComponent(anchor))
    ? undefined
    : 'no such place in the page';
}

function decode(text) {
  return text
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}
