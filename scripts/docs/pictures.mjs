import {mkdirSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {launchChromium} from '../chromium.mjs';

const WIDTHS = [380, 800, 1280];
const SCHEMES = ['light', 'dark'];
/** A page of each kind: name, `#` and a place in it, or `?` and what is searched for. */
const PAGES = [
  ...['index', 'index#speed', 'index?batchnorm'],
  ...['BatchNorm', 'BatchNorm#options', 'Normalization', 'SpectralNorm'],
  ...['ops.batchNorm', 'recalibrate', 'BatchNormArgs', 'MovingAverageKind'],
  ...[
    'Migrating',
    'Choosing_a_normalization',
    'Choosing_a_normalization#by-task',
  ],
  ...['Features', 'Performance', 'Performance#layers', 'Performance#folding'],
  ...['Troubleshooting', 'Troubleshooting#batchnorm', 'modules'],
];
const HEIGHT = 1600;
const INDEXING = 2000;

/** Takes pictures of some pages at three widths, light and dark. */
export async function takePictures(site, folder) {
  mkdirSync(folder, {recursive: true});
  const files = readdirSync(site, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
    .map((entry) => join(entry.parentPath, entry.name));
  const browser = await launchChromium();
  try {
    for (const page of PAGES) {
      const [, name, anchor = '', query] = /^([^#?]*)#?([^?]*)\??(.*)$/.exec(
        page,
      );
      const file = fileOf(files, name);
      for (const colorScheme of SCHEMES) {
        for (const width of WIDTHS) {
          const tab = await browser.newPage({
            viewport: {width, height: HEIGHT},
            colorScheme,
          });
          await tab.goto(`${pathToFileURL(file).href}#${anchor}`);
          await tab.waitForLoadState('load');
          if (query) await search(tab, query);
          const what = page.replace(/\W+/g, '-');
          for (const problem of await problemsOf(tab)) {
            console.log(`${what} at ${width} px: ${problem}`);
          }
          await tab.screenshot({
            path: join(folder, `${what}-${width}-${colorScheme}.png`),
          });
          await tab.close();
        }
      }
    }
  } finally {
    await browser.close();
  }
}

function fileOf(files, name) {
  const file = files.find((each) =>
    [`/${name}.html`, `.${name}.html`].some((end) => each.endsWith(end)),
  );
  if (file === undefined) throw new Error(`the site has no page ${name}`);
  return file;
}

/** Opens the search. What is typed before its index is there finds nothing. */
async function search(tab, query) {
  await tab.waitForFunction(() => globalThis.searchData !== undefined);
  await tab.click('#tsd-search-trigger');
  await tab.waitForTimeout(INDEXING);
  await tab.keyboard.type(query);
  await tab.waitForSelector('#tsd-search-results li');
}

/**
 * What a reader would stumble over: a page that scrolls sideways, an element beyond the
 * page that does not scroll by itself, and marks of Markdown that were left as they are.
 */
function problemsOf(tab) {
  return tab.evaluate(() => {
    const {document, getComputedStyle, innerWidth} = globalThis;
    const found = [];
    const {scrollWidth} = document.documentElement;
    if (scrollWidth > innerWidth) found.push(`it is ${scrollWidth} px wide`);
    const scrolls = (element) =>
      element !== null &&
      (/auto|scroll|hidden/.test(getComputedStyle(element).overflowX) ||
        scrolls(element.parentElement));
    for (const element of document.querySelectorAll('.tsd-typography *')) {
      const {right, width} = element.getBoundingClientRect();
      if (width > 0 && right > innerWidth + 1 && !scrolls(element)) {
        found.push(`<${element.localName}> ends at ${Math.round(right)} px`);
      }
    }
    for (const text of document.querySelectorAll(
      '.tsd-typography :is(p, li, td)',
    )) {
      const plain = [...text.childNodes]
        .filter(({nodeType}) => nodeType === 3)
        .map(({data}) => data)
        .join('');
      if (/`|\*\*|\]\(|<!--/.test(plain))
        found.push(`Markdown: ${plain.trim()}`);
    }
    return [...new Set(found)];
  });
}
