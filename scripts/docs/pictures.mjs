import {mkdirSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {launchChromium} from '../chromium.mjs';

const WIDTHS = [380, 800, 1280];
const SCHEMES = ['light', 'dark'];
const PAGES = [
  'index',
  'BatchNorm',
  'BatchNorm#options',
  'recalibrate',
  'Troubleshooting',
  'Troubleshooting#batchnorm',
];

/** Takes pictures of some pages at three widths, light and dark. */
export async function takePictures(site, folder) {
  mkdirSync(folder, {recursive: true});
  const files = readdirSync(site, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const browser = await launchChromium();
  try {
    for (const page of PAGES) {
      const [name, anchor = ''] = page.split('#');
      const ending = `${name}.html`.toLowerCase();
      const file = files.find((each) =>
        new RegExp(`[/.]${ending}$`).test(each.toLowerCase()),
      );
      for (const colorScheme of SCHEMES) {
        for (const width of WIDTHS) {
          const tab = await browser.newPage({
            viewport: {width, height: 1100},
            colorScheme,
          });
          await tab.goto(`${pathToFileURL(file).href}#${anchor}`);
          await tab.waitForLoadState('load');
          const wide = await tab.evaluate(
            () => globalThis.document.documentElement.scrollWidth,
          );
          if (wide > width) console.log(`${name}: ${wide} px at ${width}`);
          await tab.screenshot({
            path: join(folder, `${name}${anchor}-${width}-${colorScheme}.png`),
          });
          await tab.close();
        }
      }
    }
  } finally {
    await browser.close();
  }
}
