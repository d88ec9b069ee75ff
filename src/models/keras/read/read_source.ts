import {readLocal} from '../../../node/read_local.js';
import {fetchBytes} from '../../../util/fetch_bytes.js';
import {reasonOf} from '../../../util/reason_of.js';
import {refusal} from '../../../util/received.js';

/** A file: its bytes, or the URL of it; in Node a path, too. */
export type FileSource = Uint8Array | ArrayBuffer | Blob | URL | string;

/** URLs that are fetched everywhere. */
const FETCHED = /^(https?|data|blob):/i;

/**
 * Reads the bytes of a file.
 *
 * @throws Error if the source is of another kind, or cannot be read.
 */
export async function readSource(
  source: FileSource,
  who: string,
): Promise<Uint8Array> {
  if (ArrayBuffer.isView(source)) {
    const {buffer, byteOffset, byteLength} = source;
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
  if (isBuffer(source)) return new Uint8Array(source);
  if (typeof Blob !== 'undefined' && source instanceof Blob) {
    return new Uint8Array(await source.arrayBuffer());
  }
  const isUrl = typeof URL !== 'undefined' && source instanceof URL;
  if ((typeof source !== 'string' || source === '') && !isUrl) {
    const what = 'the source must be bytes, a Blob, a URL or, in Node, a path';
    throw refusal(who, what, 'source', source);
  }
  const place = String(source);
  try {
    return FETCHED.test(place)
      ? await fetchBytes(place)
      : await readLocal(place);
  } catch (error) {
    const what = `the file cannot be read (${reasonOf(error)})`;
    throw refusal(who, what, 'source', place);
  }
}

/** Also of another realm, as under jest. */
function isBuffer(source: unknown): source is ArrayBuffer {
  return Object.prototype.toString.call(source) === '[object ArrayBuffer]';
}
