import {util} from '@tensorflow/tfjs-core';

/**
 * Fetches the bytes at a URL.
 *
 * @throws Error with the HTTP status of a failure.
 */
export async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await util.fetch(url);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
