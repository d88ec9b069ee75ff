import {reshape, type Tensor, where} from '@tensorflow/tfjs-core';

/** The rank up to which webgl and webgpu have `tf.where`. */
const WHERE_RANK = 4;

/** `tf.where` for tensors of one shape, of whatever rank. */
export function whereAnyRank(
  condition: Tensor,
  yes: Tensor,
  no: Tensor,
): Tensor {
  const {rank, shape} = condition;
  if (rank <= WHERE_RANK) return where(condition, yes, no);
  const flat = (x: Tensor): Tensor => reshape(x, [-1]);
  return reshape(where(flat(condition), flat(yes), flat(no)), shape);
}
