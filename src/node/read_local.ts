import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';

/** Reads the file at a path or a `file:` URL. */
export async function readLocal(place: string): Promise<Uint8Array> {
  const isUrl = /^file:/i.test(place);
  return new Uint8Array(await readFile(isUrl ? fileURLToPath(place) : place));
}
