// Runs what Vite has built.
import {readFileSync} from 'node:fs';
import {render} from './dist/render.js';

const code = readFileSync('dist/render.js', 'utf8');
const inlined = !/from\s*['"]tfjs-normalization/.test(code);
console.log(JSON.stringify({...(await render('built')), inlined}));
