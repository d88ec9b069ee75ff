import {CopyWorkspace} from '../../../src/kernels/backends/cpu/copy_workspace.js';
import type {Address} from '../../../src/kernels/simd/module.js';
import type {Tile} from '../../../src/kernels/simd/workspace.js';
import {guard, GUARD, isBroken} from '../guards.js';

/** Bytes of the memory, from an address. */
type Zone = readonly [begin: Address, bytes: number];

/**
 * The cpu backend's own memory, with guards around each buffer, behind a tile that is
 * shorter than its buffer, and in what no kernel has written yet. Each kernel is checked
 * when it ends.
 */
export class GuardedWorkspace extends CopyWorkspace {
  /** How many guards have been checked. */
  checked = 0;
  private zones: Zone[] = [];
  /** The guards in what the tile of a name leaves of its buffer. */
  private rests = new Map<string, Zone>();
  /** Bytes of each buffer. */
  private sizes = new Map<Address, number>();

  override run<Result>(kernel: (workspace: this) => Result): Result {
    return super.run((workspace) => {
      this.zones = [];
      this.rests = new Map();
      this.sizes = new Map();
      const result = kernel(workspace);
      this.check();
      return result;
    });
  }

  override input(name: string, data: Float32Array, tile: Tile): Address {
    this.checkRest(name);
    return this.guardRest(name, super.input(name, data, tile), tile);
  }

  override output(name: string, data: Float32Array, tile: Tile): Address {
    this.checkRest(name);
    return this.guardRest(name, super.output(name, data, tile), tile);
  }

  override scratch(bytes: number): Address {
    const size = Math.ceil(bytes / 4) * 4;
    const begin = super.scratch(GUARD + size + GUARD);
    const address = begin + GUARD;
    guard(this.memory, begin, GUARD + size + GUARD);
    this.zones.push([begin, GUARD], [address + size, GUARD]);
    this.sizes.set(address, size);
    return address;
  }

  private get memory(): Float32Array {
    return (this as unknown as {values: Float32Array}).values;
  }

  private guardRest(
    name: string,
    address: Address,
    {rows, length}: Tile,
  ): Address {
    const used = 4 * rows * length;
    const rest = (this.sizes.get(address) ?? NaN) - used;
    const zone: Zone = [address + used, rest];
    guard(this.memory, ...zone);
    this.rests.set(name, zone);
    return address;
  }

  /** Before another tile of this name takes its place. */
  private checkRest(name: string): void {
    const rest = this.rests.get(name);
    if (rest !== undefined) this.expectWhole(rest);
  }

  private check(): void {
    for (const zone of [...this.zones, ...this.rests.values()]) {
      this.expectWhole(zone);
    }
  }

  private expectWhole(zone: Zone): void {
    this.checked += 1;
    if (!isBroken(this.memory, ...zone)) return;
    throw new Error(
      `a kernel wrote to the guard of ${zone[1]} bytes at ${zone[0]}`,
    );
  }
}
