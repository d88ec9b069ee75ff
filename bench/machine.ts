import {readFileSync} from 'node:fs';
import os from 'node:os';
import * as tf from '@tensorflow/tfjs';
import type {Machine, Versions} from './results.js';

/** Relative to the package's root, where npm runs scripts. */
const PACKAGE = 'package.json';

/** Describes the machine that this runs on. */
export function describeMachine(): Machine {
  const cores = os.cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGB: Math.round(os.totalmem() / 2 ** 30),
    platform: `${os.platform()} ${os.arch()}`,
  };
}

/** @param found Versions found only during the run. */
export function versionsWith(
  found: Pick<Versions, 'libtensorflow' | 'torch'>,
): Versions {
  const {version} = JSON.parse(readFileSync(PACKAGE, 'utf8')) as {
    version: string;
  };
  return {
    package: version,
    node: process.versions.node,
    tfjs: tf.version.tfjs,
    ...found,
  };
}

/** Returns the native library's version, if the backend in use has one. */
export function libtensorflowVersion(): string | null {
  const {binding} = tf.backend() as {binding?: {TF_Version?: unknown}};
  const version = binding?.TF_Version;
  return typeof version === 'string' ? version : null;
}
