import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {WasmHeap} from '../../tfjs_private.js';
import type {Address, SimdModule} from '../../simd/module.js';
import type {Tile, Workspace} from '../../simd/workspace.js';

const F32 = 4;

/** Computes in place, on the heap that the tensors are on already. */
export class HeapWorkspace implements Workspace<TensorInfo> {
  readonly capacity = Infinity;
  readonly tileValues = Infinity;
  private readonly allocated: Address[] = [];

  constructor(
    readonly module: SimdModule,
    private readonly heap: WasmHeap,
  ) {}

  input(_name: string, data: TensorInfo, tile: Tile): Address {
    return this.heap.addressOf(data) + F32 * tile.offset;
  }

  output(_name: string, data: TensorInfo, tile: Tile): Address {
    return this.heap.addressOf(data) + F32 * tile.offset;
  }

  commit(): void {
    // The values were written where they belong.
  }

  strideOf(tile: Tile): number {
    return F32 * tile.stride;
  }

  scratch(bytes: number): Address {
    const address = this.heap.allocate(bytes);
    this.allocated.push(address);
    return address;
  }

  /** To be called when the kernel is done. */
  free(): void {
    for (const address of this.allocated) this.heap.free(address);
  }
}
