import {percent, wrap} from '../../tools/format.js';
import {align, ruledTable} from '../digits/ruled_table.js';
import type {Tuned} from './tune.js';

const WIDTH = 78;

/**
 * Describes the results of tuning, with batch normalization frozen and without.
 */
export function reportOf(before: number, runs: readonly Tuned[]): string {
  const rows = runs.map(({frozen, head, top}) =>
    [
      frozen ? 'BatchNorm frozen' : 'BatchNorm not frozen',
      percent(head.young),
      percent(top.young),
      percent(before),
      percent(head.old),
      percent(top.old),
    ].map(align),
  );
  const table = ruledTable([
    [
      {content: 'Validation accuracy'},
      {content: 'Digits 5 to 9', colSpan: 2, hAlign: 'right'},
      {content: 'Digits 0 to 4', colSpan: 3, hAlign: 'right'},
    ],
    [
      'after training',
      'the head',
      'the top',
      'before',
      'the head',
      'the top',
    ].map(align),
    ...rows,
  ]);
  return `${table}\n\n${wrap(sentenceOf(runs), WIDTH)}`;
}

function sentenceOf(runs: readonly Tuned[]): string {
  const frozen = runs.find((run) => run.frozen);
  const free = runs.find((run) => !run.frozen);
  if (frozen === undefined || free === undefined) return '';
  return (
    `While only the head trains, no kernel of the base changes. With batch ` +
    `normalization frozen the base then still reads ${percent(frozen.head.old)} ` +
    `of the digits 0 to 4, as before; without, its statistics move to the other ` +
    `digits, and it reads ${percent(free.head.old)}.`
  );
}
