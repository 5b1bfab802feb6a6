/** A promise that knows whether somebody waits for it: `await` calls its `then`, as it is none of the platform's own class. */
class HeardPromise<T> extends Promise<T> {
  isHeard = false;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.isHeard = true;
    return super.then(onFulfilled, onRejected);
  }
}

/**
 * What a handler is given to wait for. What fails while nobody waits for it is the failure of its attempt: as an unhandled rejection it would end the process, with all that
 * runs in there.
 */
export class AwaitedWork {
  private readonly failures: { promise: HeardPromise<unknown>; error: unknown }[] = [];
  private readonly underWay = new Set<Promise<void>>();

  /** `ends`: it comes to its end, so that the attempt may wait for it. */
  given<T>(work: Promise<T>, ends: boolean): Promise<T> {
    const promise = new HeardPromise<T>((resolve, reject) => void work.then(resolve, reject));
    const over: Promise<void> = Promise.prototype.then.call(
      promise,
      () => void this.underWay.delete(over),
      (error: unknown) => {
        this.underWay.delete(over);
        this.failures.push({ promise, error });
      },
    ) as Promise<void>;
    if (ends) this.underWay.add(over);
    return promise;
  }

  /** Calls back when all that ends has ended: at once where nothing is under way. */
  whenOver(over: () => void): void {
    if (this.underWay.size === 0) return over();
    void Promise.all(this.underWay).then(() => this.whenOver(over));
  }

  /** The first failure that nobody has waited for; null: none. */
  get unheard(): { error: unknown } | null {
    return this.failures.find(({ promise }) => !promise.isHeard) ?? null;
  }
}
