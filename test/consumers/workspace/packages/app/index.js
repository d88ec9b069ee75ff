export * as tf from '@tensorflow/tfjs';
export * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
