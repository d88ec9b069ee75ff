import type {DescribedClass} from '../src/layer_support/registration.js';
import {BatchNorm} from './batch_norm.js';
import {ContribInstanceNorm} from './contrib_instance_norm.js';
import {GroupNorm} from './group_norm.js';
import {InstanceNorm} from './instance_norm.js';
import {LayerNorm} from './layer_norm.js';
import {Normalization} from './normalization.js';
import {RMSNorm} from './rms_norm.js';
import {SpectralNorm} from './spectral_norm.js';
import {UnitNorm} from './unit_norm.js';

/** Every layer of this package. Bundlers keep them all where this is used. */
export const FAMILY: readonly DescribedClass[] = [
  BatchNorm,
  LayerNorm,
  GroupNorm,
  InstanceNorm,
  ContribInstanceNorm,
  RMSNorm,
  UnitNorm,
  Normalization,
  SpectralNorm,
];
