// Files of test/fixtures/keras_container.py.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';

/** An HDF5 file, and what h5py finds in it. */
export interface Hdf5Case {
  readonly name: string;
  readonly file: string;
  readonly groups: Readonly<Record<string, Record<string, string>>>;
  readonly datasets: Readonly<Record<string, DatasetCase>>;
}

export interface DatasetCase {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly bytes: string;
  /** The values that NumPy makes of them in float32. */
  readonly float32: string;
}

/** A zip archive, and what Python finds in it. */
export interface ArchiveCase {
  readonly name: string;
  readonly file: string;
  readonly members: Readonly<Record<string, string>>;
}

export interface RefusedCase {
  readonly name: string;
  readonly file: string;
}

export interface ContainerCases {
  readonly hdf5: readonly Hdf5Case[];
  readonly archives: readonly ArchiveCase[];
  readonly refusedHdf5: readonly RefusedCase[];
  readonly refusedArchives: readonly RefusedCase[];
}

export const FIXTURES = join(__dirname, '../fixtures');

/** Where `npm run test:keras` makes files anew. */
export const MADE_ANEW = process.env.KERAS_MODELS;

export function readCases(folder: string): ContainerCases {
  const file = join(folder, 'keras_container.json');
  return JSON.parse(readFileSync(file, 'utf8')) as ContainerCases;
}

export function decoded(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

export function unpacked(base64: string): Uint8Array {
  return new Uint8Array(gunzipSync(decoded(base64)));
}
