// The functions that the kernels of the backends call. Nothing here has static data or a
// stack: the memory belongs to somebody else.
export {demote, zero} from './lanes';
export {columnMoments, sumBytes} from './columns';
export {
  columnApply,
  columnBytes,
  columnConstants,
  columnConstantsGiven,
} from './column_affine';
export {
  columnGradApply,
  columnGradBegin,
  columnGradConstants,
  columnGradSums,
} from './column_gradient';
export {runApply, runGradApply, runGradSums, runMoments} from './runs';
export {rowsNormalize} from './rows';
export {rowsGrad} from './rows_gradient';
export {moveStatistics} from './moving';
