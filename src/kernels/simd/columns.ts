import type {Geometry} from '../geometry.js';
import type {Address, SimdModule} from './module.js';
import type {Tile, Workspace} from './workspace.js';

/**
 * The sums that a workspace holds of the columns of a strip: sums in float64, computed over the
 * rows, and constants, applied to them. Hides whether a column has one value in a row
 * or a run of them.
 */
export class Columns {
  readonly sums: Address;
  readonly constants: Address;
  private readonly module: SimdModule;
  private readonly scratch: Address;
  private readonly inner: number;
  private readonly areRuns: boolean;
  private width = 0;
  /** Bytes of one kind of constant, and of one kind of sum. */
  private size = 0;
  private size64 = 0;

  /**
   * @param widest The widest strip there will be.
   * @param kinds How many sums, and how many constants, a column has.
   */
  constructor(
    private readonly workspace: Workspace<unknown>,
    {walk, inner}: Geometry,
    widest: number,
    kinds: {readonly sums: number; readonly constants: number},
  ) {
    const {module} = workspace;
    this.module = module;
    this.inner = inner;
    this.areRuns = walk === 'runs';
    // Three columns, read four rows at once, take more than four.
    const size = Math.max(module.columnBytes(widest), module.columnBytes(3));
    this.sums = workspace.scratch(kinds.sums * module.sumBytes(widest));
    this.constants = workspace.scratch(kinds.constants * size);
    this.scratch = this.areRuns ? 0 : workspace.scratch(6 * size);
  }

  /** Turns to a strip of this width. */
  use(width: number): void {
    this.width = width;
    this.size = this.module.columnBytes(width);
    this.size64 = this.module.sumBytes(width);
  }

  /** The number of values of each column in a tile. */
  countOf({rows}: Tile): number {
    return rows * this.inner;
  }

  /** Begins moments: a mean and a sum of squares for each column. */
  beginMoments(): void {
    this.module.zero(this.sums, 2 * this.size64);
  }

  /** @param before How many values of each column have been added. */
  addMoments(
    x: Address,
    tile: Tile,
    subtractMean: 0 | 1,
    before: number,
  ): void {
    const {module, width, inner, sums, size64, scratch} = this;
    const stride = this.workspace.strideOf(tile);
    const {rows} = tile;
    if (this.areRuns) {
      // prettier-ignore
      module.runMoments(x, rows, width, inner, stride, subtractMean, before, sums, size64);
    } else {
      // prettier-ignore
      module.columnMoments(x, rows, width, stride, subtractMean, before, sums, size64, scratch);
    }
  }

  /** y = (x − high) · a + b */
  apply(x: Address, y: Address, tile: Tile): void {
    const {module, width, inner, constants, size} = this;
    const stride = this.workspace.strideOf(tile);
    const {rows} = tile;
    if (this.areRuns) {
      module.runApply(x, y, rows, width, inner, stride, constants, size);
    } else {
      module.columnApply(x, y, rows, width, stride, constants, size);
    }
  }

  /** Adds to the three sums of the gradient. */
  addFlow(dy: Address, x: Address, tile: Tile): void {
    const {module, width, inner, constants, sums, size64, scratch} = this;
    const stride = this.workspace.strideOf(tile);
    const {rows} = tile;
    if (this.areRuns) {
      // prettier-ignore
      module.runGradSums(dy, x, rows, width, inner, stride, constants, sums, size64);
    } else {
      // prettier-ignore
      module.columnGradSums(dy, x, rows, width, stride, constants, sums, size64, scratch);
    }
  }

  /** dx = A · dy + B · (x − high) + C */
  applyGrad(dy: Address, x: Address, dx: Address, tile: Tile): void {
    const {module, width, inner, constants, size} = this;
    const stride = this.workspace.strideOf(tile);
    const {rows} = tile;
    if (this.areRuns) {
      // prettier-ignore
      module.runGradApply(dy, x, dx, rows, width, inner, stride, constants, size);
    } else {
      module.columnGradApply(dy, x, dx, rows, width, stride, constants, size);
    }
  }
}
