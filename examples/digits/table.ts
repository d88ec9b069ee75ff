import type Table from 'cli-table3';
import {percent} from '../../tools/format.js';
import type {RunMetrics} from './metrics.js';
import {NAMES} from './norms.js';
import {align, ruledTable} from './ruled_table.js';
import {firstAbove} from './sentence.js';

const GOAL = 0.9;
const SHOWN_EPOCHS = [1, 5, 10];
/** Fewer epochs, for a table with more columns. */
const FEW_SHOWN_EPOCHS = [1];

/** Formats the results of all runs, one per row. */
export function tableOf(runs: readonly RunMetrics[], epochs: number): string {
  const isRecalibrated = runs.some((run) => run.valAccuracyRecalibrated);
  const inMiddle = isRecalibrated ? FEW_SHOWN_EPOCHS : SHOWN_EPOCHS;
  const shown = [...inMiddle.filter((epoch) => epoch < epochs), epochs];
  const again = isRecalibrated ? shown : [];
  const first = [
    {content: ''},
    {
      content: isRecalibrated
        ? 'Accuracy, epoch'
        : 'Validation accuracy, epoch',
      colSpan: shown.length,
    },
    ...(isRecalibrated
      ? [{content: 'Recalibrated', colSpan: shown.length}]
      : []),
    {content: 'First'},
    {content: 'Seconds an epoch', colSpan: 2},
  ];
  return ruledTable([
    first.map((cell) => ({...cell, hAlign: 'right'})),
    ['', ...[...shown, ...again].map(String), '> 90%', 'here', 'stock'].map(
      align,
    ),
    ...runs.map((run) => row(run, shown, again)),
  ]);
}

function row(
  run: RunMetrics,
  shown: readonly number[],
  again: readonly number[],
): Table.Cell[] {
  const {norm, valAccuracy, secondsPerEpoch, stockSecondsPerEpoch} = run;
  const recalibrated = run.valAccuracyRecalibrated ?? [];
  const cells = [
    NAMES[norm],
    ...shown.map((epoch) => accuracyAfter(valAccuracy[epoch - 1])),
    ...again.map((epoch) => accuracyAfter(recalibrated[epoch - 1])),
    String(firstAbove(GOAL, valAccuracy) ?? 'never'),
    seconds(secondsPerEpoch),
    seconds(stockSecondsPerEpoch),
  ];
  return cells.map(align);
}

function accuracyAfter(accuracy: number | undefined): string {
  return accuracy === undefined ? '–' : percent(accuracy);
}

function seconds(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}
