/*
 * Files in a bundle for browsers, which have URLs alone, relative to the page:
 * package.json puts this file in the place of `read_local.ts` there ("browser").
 */
export {fetchBytes as readLocal} from '../util/fetch_bytes.js';
