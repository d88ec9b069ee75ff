import type {Address, SimdModule} from './module.js';
import type {Tile, Workspace} from './workspace.js';

const F32 = 4;
const PAGE = 65_536;

/** The longest row that is copied: 1 MB. */
const CAPACITY = 262_144;

/** What is copied at once where rows are shorter: 256 KB, which the second cache holds. */
const TILE_VALUES = 65_536;

interface Slot {
  readonly address: Address;
  readonly bytes: number;
  data?: Float32Array | undefined;
  tile?: Tile | undefined;
}

/**
 * Computes in a memory of its own, which values are copied into and out of tile by
 * tile. The memory stays for the next kernel, and no larger than the tiles need.
 */
export class CopyWorkspace implements Workspace<Float32Array> {
  readonly capacity: number;
  readonly tileValues: number;
  private slots = new Map<string, Slot>();
  private readonly pending = new Set<Slot>();
  private used = 0;
  private values: Float32Array;

  constructor(
    readonly module: SimdModule,
    private readonly memory: WebAssembly.Memory,
    {capacity = CAPACITY, tileValues = TILE_VALUES} = {},
  ) {
    this.capacity = capacity;
    this.tileValues = tileValues;
    this.values = new Float32Array(memory.buffer);
  }

  /** Forgets the last kernel. */
  begin(): void {
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
    const missing = this.used - this.memory.buffer.byteLength;
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / PAGE));
      this.values = new Float32Array(this.memory.buffer);
    }
    return address;
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
