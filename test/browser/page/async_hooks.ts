interface Finally {
  finally(then: () => void): unknown;
}

/**
 * Replaces Node's class, which browsers lack, for tests that run one after
 * another.
 */
export class AsyncLocalStorage<T> {
  private store: T | undefined;

  getStore(): T | undefined {
    return this.store;
  }

  run<R>(store: T, callback: () => R): R {
    const outer = this.store;
    this.store = store;
    const restore = (): void => {
      this.store = outer;
    };
    let result: R;
    try {
      result = callback();
    } catch (error) {
      restore();
      throw error;
    }
    if (result instanceof Promise)
      return (result as Finally).finally(restore) as R;
    restore();
    return result;
  }
}
