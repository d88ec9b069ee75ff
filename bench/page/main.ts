/** The page that measures normalization layers on the visitor's GPU. */
import {drawChart} from '../chart.js';
import {rounded} from '../figures.js';
import {SHAPES} from '../cases.js';
import {digitsCells, layerCells} from '../gpu_table.js';
import {type DigitsRow, GPU_BACKENDS, type LayerRow} from '../results.js';
import {measure, type PageResults, PARTS, type Request} from './measure.js';

const FIRST_SHAPES = 3;

const start = element('start', HTMLButtonElement);
const copy = element('copy', HTMLButtonElement);
const progress = element('progress', HTMLProgressElement);
const state = element('state', HTMLElement);

let results: PageResults | undefined;

start.addEventListener('click', () => void run());
copy.addEventListener('click', () => void copyResults());
if (new URLSearchParams(location.search).has('run')) void run();

async function run(): Promise<void> {
  start.disabled = true;
  copy.hidden = true;
  try {
    results = await measure(requestIn(location.search), {
      begin: (what, done, total) => {
        progress.max = total;
        progress.value = done;
        state.textContent = `${what} (${done} of ${total})`;
        console.info(`${done}/${total}  ${what}`);
      },
      found: show,
    });
    state.textContent = 'Done.';
    copy.hidden = false;
  } catch (error) {
    state.textContent = `It failed: ${String(error)}`;
  }
  document.body.dataset.done = 'true';
  start.disabled = false;
}

/**
 * Reads the address: `?backend=webgpu&shape=128,1024&part=layers&quick&run`; backend,
 * shape and part may stand several times. With `all`, layers are also measured in
 * inference and with the channels first. `budget` and `limit` are in seconds, as for
 * `npm run bench`.
 */
function requestIn(search: string): Request {
  const given = new URLSearchParams(search);
  const wanted = given.getAll('backend');
  const secondsIn = (name: string): number | undefined =>
    given.has(name) ? Number(given.get(name)) : undefined;
  const backends = GPU_BACKENDS.filter(
    (name) => wanted.length === 0 || wanted.includes(name),
  );
  const shapes = given
    .getAll('shape')
    .map((text) => text.split(',').map(Number));
  return {
    backends,
    shapes: shapes.length > 0 ? shapes : SHAPES.slice(0, FIRST_SHAPES),
    quick: given.has('quick'),
    budget: secondsIn('budget'),
    limit: secondsIn('limit'),
    parts: PARTS.filter(
      (part) => !given.has('part') || given.getAll('part').includes(part),
    ),
    all: given.has('all'),
  };
}

function show(found: PageResults): void {
  const {devices, skipped, layers, digits} = found;
  element('devices', HTMLElement).replaceChildren(
    ...devices.map(({backend, adapter, isSoftware}) =>
      made(
        'li',
        `${backend}: ${adapter}${isSoftware ? ' (software: no GPU computes here)' : ''}`,
      ),
    ),
    ...skipped.map((text) => made('li', `Left out: ${text}`)),
  );
  element('rows', HTMLElement).replaceChildren(...layers.map(layerRowOf));
  element('results', HTMLElement).hidden = layers.length === 0;
  element('chart', HTMLElement).innerHTML =
    layers.length > 0 ? drawChart(layers) : '';
  element('epochs', HTMLElement).replaceChildren(...digits.map(digitsRowOf));
  element('digits', HTMLElement).hidden = digits.length === 0;
}

function digitsRowOf(row: DigitsRow): HTMLElement {
  return lineOf([...digitsCells(row), rounded(row.longestPause)]);
}

function layerRowOf(row: LayerRow): HTMLElement {
  return lineOf(layerCells(row));
}

function lineOf([first = '', ...others]: readonly string[]): HTMLElement {
  const line = made('tr', '');
  line.append(made('th', first), ...others.map((text) => made('td', text)));
  return line;
}

async function copyResults(): Promise<void> {
  await navigator.clipboard.writeText(JSON.stringify(results, null, 2));
  state.textContent = 'Copied.';
}

function made(tag: string, text: string): HTMLElement {
  const created = document.createElement(tag);
  created.textContent = text;
  return created;
}

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page lacks #${id}`);
}

// For programs that drive the page.
Object.assign(globalThis, {resultsOf: () => results});
