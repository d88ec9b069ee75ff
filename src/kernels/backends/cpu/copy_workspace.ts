import {type Address, instantiate, type SimdModule} from '../../simd/module.js';
import type {Tile, Workspace} from '../../simd/workspace.js';

const F32 = 4;
const PAGE = 65_536;

/** By how much a memory is larger than the one before, at least: 256 KB. */
const STEP = 4 * PAGE;

/** The longest row that is copied: 1 MB. */
const CAPACITY = 262_144;

/** The values that are copied at once if rows are shorter: 256 KB fit the second cache. */
const TILE_VALUES = 65_536;

interface Slot {
  readonly address: Address;
  readonly bytes: number;
  data?: Float32Array | undefined;
  tile?: Tile | undefined;
}

/** Thrown where a kernel needs a larger memory, and begins again in one. */
const TOO_SMALL = new Error('the memory is too small');

/**
 * Computes in a memory of its own, which values are copied into and out of tile by
 * tile. The memory stays for the next kernel, and no larger than the tiles need.
 *
 * A memory never grows: that detaches its buffer, and from then on V8 checks every
 * typed array of the program at every access, those of tf.js too. A larger one takes
 * its place.
 */
export class CopyWorkspace implements Workspace<Float32Array> {
  readonly capacity: number;
  readonly tileValues: number;
  module: SimdModule;
  private slots = new Map<string, Slot>();
  private readonly pending = new Set<Slot>();
  private used = 0;
  private values: Float32Array;

  /** @throws Error as {@link instantiate} does. */
  constructor({capacity = CAPACITY, tileValues = TILE_VALUES} = {}) {
    this.capacity = capacity;
    this.tileValues = tileValues;
    const memory = new WebAssembly.Memory({initial: 1});
    this.values = new Float32Array(memory.buffer);
    this.module = instantiate(memory, false);
  }

  /** The size of the memory. */
  get bytes(): number {
    return this.values.byteLength;
  }

  /**
   * Runs a kernel, from its beginning again where the memory is too small for it.
   *
   * @param kernel Writes to its outputs alone, so that it can be run twice.
   */
  run<Result>(kernel: (workspace: this) => Result): Result {
    for (;;) {
      this.forget();
      try {
        return kernel(this);
      } catch (error) {
        if (error !== TOO_SMALL) throw error;
        this.enlarge();
      }
    }
  }

  /** Forgets the last kernel. */
  private forget(): void {
    this.slots = new Map();
    this.pending.clear();
    // An address of 0 stands for a tensor that is absent.
    this.used = F32 * 4;
  }

  input(name: string, data: Float32Array, tile: Tile): Address {
    const slot = this.slotFor(name, tile);
    if (!holds(slot, data, tile)) {
      this.copy(slot, data, tile, 'in');
      slot.data = data;
      slot.tile = tile;
    }
    return slot.address;
  }

  output(name: string, data: Float32Array, tile: Tile): Address {
    const slot = this.slotFor(name, tile);
    slot.data = data;
    slot.tile = tile;
    this.pending.add(slot);
    return slot.address;
  }

  commit(): void {
    for (const slot of this.pending) {
      const {data, tile} = slot;
      if (data && tile) this.copy(slot, data, tile, 'out');
    }
    this.pending.clear();
  }

  strideOf(tile: Tile): number {
    return F32 * tile.length;
  }

  scratch(bytes: number): Address {
    const address = this.used;
    this.used += Math.ceil(bytes / 16) * 16;
    if (this.used > this.bytes) throw TOO_SMALL;
    return address;
  }

  /** Puts a larger memory in its place. */
  private enlarge(): void {
    const initial = Math.ceil(Math.max(this.used, this.bytes + STEP) / PAGE);
    const memory = new WebAssembly.Memory({initial});
    this.module = instantiate(memory, false);
    this.values = new Float32Array(memory.buffer);
  }

  private slotFor(name: string, tile: Tile): Slot {
    const bytes = F32 * tile.rows * tile.length;
    const known = this.slots.get(name);
    if (known !== undefined && known.bytes >= bytes) return known;
    const slot = {address: this.scratch(bytes), bytes};
    this.slots.set(name, slot);
    return slot;
  }

  private copy(
    {address}: Slot,
    data: Float32Array,
    {offset, rows, length, stride}: Tile,
    way: 'in' | 'out',
  ): void {
    const isOneRun = stride === length;
    const run = isOneRun ? rows * length : length;
    for (let row = 0; row < (isOneRun ? 1 : rows); row++) {
      const here = address / F32 + row * length;
      const there = offset + row * stride;
      if (way === 'in') {
        this.values.set(data.subarray(there, there + run), here);
      } else {
        data.set(this.values.subarray(here, here + run), there);
      }
    }
  }
}

function holds(slot: Slot, data: Float32Array, tile: Tile): boolean {
  return (
    slot.data === data &&
    slot.tile?.offset === tile.offset &&
    slot.tile.rows === tile.rows &&
    slot.tile.length === tile.length &&
    slot.tile.stride === tile.stride
  );
}
