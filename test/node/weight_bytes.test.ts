import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {io} from '@tensorflow/tfjs';
import fc from 'fast-check';
import {FileSystemHandler} from '../../src/node/file_system.js';
import {
  between,
  bytesNeeded,
  cutIntoShards,
  lengthOf,
  piecesOf,
} from '../../src/node/weight_bytes.js';
import {bytesOf, messageOf, readJson, useFolder} from './support.js';

const anyPieces = fc.array(fc.uint8Array({maxLength: 40}), {maxLength: 8});
const anyLimit = fc.integer({min: 1, max: 100});

const joined = (pieces: readonly Uint8Array[]): number[] =>
  pieces.flatMap((piece) => [...piece]);

describe('cutIntoShards', () => {
  it('keeps every byte in its place, in full shards but for the last', () => {
    fc.assert(
      fc.property(anyPieces, anyLimit, (pieces, limit) => {
        const shards = cutIntoShards(pieces, limit);
        expect(shards.flatMap(joined)).toEqual(joined(pieces));
        expect(shards.length).toBeGreaterThan(0);
        const lengths = shards.map(lengthOf);
        const last = lengths.pop() ?? 0;
        expect(lengths.every((length) => length === limit)).toBe(true);
        expect(last).toBeLessThanOrEqual(limit);
        // Only a model without weights has an empty shard.
        expect(last > 0 || joined(pieces).length === 0).toBe(true);
      }),
    );
  });
});

describe('between', () => {
  it('is like slice, over pieces', () => {
    fc.assert(
      fc.property(anyPieces, fc.nat(400), fc.nat(400), (pieces, a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect(joined(between(pieces, start, end))).toEqual(
          joined(pieces).slice(start, end),
        );
      }),
    );
  });

  it('copies nothing', () => {
    const piece = Uint8Array.of(1, 2, 3);
    expect(between([piece], 1, 2)[0]?.buffer).toBe(piece.buffer);
  });
});

describe('piecesOf', () => {
  it('takes buffers and views of a part of one', () => {
    const {buffer} = Uint8Array.of(1, 2, 3, 4);
    const view = new Uint8Array(buffer, 1, 2);
    expect(joined(piecesOf(buffer) ?? [])).toEqual([1, 2, 3, 4]);
    expect(joined(piecesOf([view, new ArrayBuffer(1)]) ?? [])).toEqual([
      2, 3, 0,
    ]);
    expect(piecesOf([])).toEqual([]);
  });

  it.each([undefined, null, 'text', 3, {}, [3]])('refuses %p', (data) => {
    expect(piecesOf(data)).toBeUndefined();
  });
});

const WIDTHS = {float32: 4, int32: 4, bool: 1, complex64: 8} as const;

/** A weight of any kind, with as many bytes as it needs. */
const anyWeight: fc.Arbitrary<[io.WeightsManifestEntry, Uint8Array]> = fc
  .tuple(
    fc.constantFrom(
      'float32' as const,
      'int32' as const,
      'bool' as const,
      'complex64' as const,
      'string' as const,
    ),
    fc.array(fc.integer({min: 0, max: 3}), {maxLength: 3}),
    fc.infiniteStream(fc.integer({min: 0, max: 255})),
  )
  .map(([dtype, shape, random]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const take = (n: number): number[] =>
      Array.from({length: n}, () => Number(random.next().value));
    const strings = (): number[] =>
      take(size).flatMap((n) => [n % 7, 0, 0, 0, ...take(n % 7)]);
    const bytes = dtype === 'string' ? strings() : take(size * WIDTHS[dtype]);
    const spec = {name: 'w', shape, dtype} as io.WeightsManifestEntry;
    return [spec, Uint8Array.from(bytes)];
  });

const anyModel = fc.array(anyWeight, {maxLength: 6}).map((weights) => ({
  specs: weights.map(([spec]) => spec),
  bytes: Buffer.concat(weights.map(([, bytes]) => bytes)),
}));

/** The same bytes in several buffers. */
function cut(bytes: Uint8Array, at: number[]): ArrayBuffer[] {
  const cuts = [0, ...at.map((a) => a % (bytes.length + 1)), bytes.length];
  cuts.sort((a, b) => a - b);
  return cuts
    .slice(1)
    .map((end, i) => new Uint8Array(bytes.slice(cuts[i], end)).buffer);
}

describe('bytesNeeded', () => {
  it('is the length of all weights, never of a part of them', () => {
    fc.assert(
      fc.property(anyModel, fc.nat(), ({specs, bytes}, n) => {
        expect(bytesNeeded(specs, [bytes])).toBe(bytes.length);
        const part = bytes.subarray(0, n % (bytes.length + 1));
        const isWhole = part.length === bytes.length;
        expect(bytesNeeded(specs, [part]) === part.length).toBe(isWhole);
      }),
    );
  });
});

describe('weights on the disk', () => {
  const folder = useFolder();

  it('are read back unchanged, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyModel,
        fc.array(fc.nat(), {maxLength: 4}),
        anyLimit,
        anyLimit,
        async ({specs, bytes}, cuts, shardBytes, bufferBytes) => {
          const weightData = cut(bytes, cuts);
          const saved = {modelTopology: {}, weightSpecs: specs, weightData};
          await new FileSystemHandler(folder(), {shardBytes}).save(saved);
          const loaded = await new FileSystemHandler(folder(), {
            shardBytes: bufferBytes,
          }).load();
          expect(loaded.weightSpecs).toEqual(specs);
          expect(bytesOf(loaded.weightData)).toEqual([...bytes]);
        },
      ),
      {numRuns: 25},
    );
  });

  it('are refused if any shard has become shorter or longer', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyModel.filter(({bytes}) => bytes.length > 0),
        fc.integer({min: 1, max: 30}),
        fc.nat(),
        fc.nat(),
        async ({specs, bytes}, shardBytes, which, n) => {
          const handler = new FileSystemHandler(folder(), {shardBytes});
          const weightData = cut(bytes, []);
          await handler.save({
            modelTopology: {},
            weightSpecs: specs,
            weightData,
          });
          const {weightsManifest} = readJson(join(folder(), 'model.json'));
          const paths = weightsManifest[0]?.paths ?? [];
          const file = join(folder(), paths[which % paths.length] ?? '');
          const content = readFileSync(file);
          const other = n % (content.length * 2);
          const length = other < content.length ? other : other + 1;
          writeFileSync(file, Buffer.concat([content, content], length));
          expect(await messageOf(handler.load())).toMatch(
            /: the weight shards hold \d+ bytes where their weights need \d+\. Received: /,
          );
        },
      ),
      {numRuns: 25},
    );
    expect(readdirSync(folder())).toContain('model.json');
  });
});
