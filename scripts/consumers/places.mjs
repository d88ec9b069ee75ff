import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The folder of the projects. */
export const CONSUMERS = join(ROOT, 'test/consumers');

/** Downloads kept from one run to the next. */
export const CACHE = join(ROOT, 'node_modules/.cache/consumers');
