/*
 * Files in a bundle for browsers, which have URLs alone: package.json puts this file in
 * the place of `read_local.ts` there ("browser").
 */
import {util} from '@tensorflow/tfjs-core';

/** Fetches the file at a URL relative to the page. */
export async function readLocal(place: string): Promise<Uint8Array> {
  const response = await util.fetch(place);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
