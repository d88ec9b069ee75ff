import type {Address, SimdModule} from './module.js';

/** Part of a tensor: `rows` runs of `length` values, each `stride` behind the last. */
export interface Tile {
  readonly offset: number;
  readonly rows: number;
  readonly length: number;
  readonly stride: number;
}

/**
 * The memory a kernel computes in: the heap that tensors live in, or one that parts of
 * them are copied into.
 *
 * @typeParam Data What the backend has of a tensor.
 */
export interface Workspace<Data> {
  readonly module: SimdModule;
  /** The most values of a tensor that may be there at once. */
  readonly capacity: number;
  /** The best number of them. */
  readonly tileValues: number;
  /**
   * The address of a tile's values. It holds until the next input of that name.
   *
   * @param name One for each tensor of a kernel. Its first tile is its largest.
   */
  input(name: string, data: Data, tile: Tile): Address;
  /**
   * The address to write a tile's values to. They stay there until another tile
   * of that name is asked for.
   */
  output(name: string, data: Data, tile: Tile): Address;
  /** Takes the outputs home that were asked for since the last time. */
  commit(): void;
  /** Bytes from one row of a tile to the next, at its address. */
  strideOf(tile: Tile): number;
  /** Bytes for a kernel's own use, until it ends. */
  scratch(bytes: number): Address;
}

/** A whole vector, or part of one. */
export function vector(length: number, offset = 0): Tile {
  return {offset, rows: 1, length, stride: length};
}

/** The address of an input that may be absent: 0 if it is. */
export function inputOrNone<Data>(
  workspace: Workspace<Data>,
  name: string,
  data: Data | undefined,
  tile: Tile,
): Address {
  return data === undefined ? 0 : workspace.input(name, data, tile);
}
