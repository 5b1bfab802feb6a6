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

/** `ends`: it comes to its end, so that the attempt may wait for it · `may-sleep`: or it goes on in a later attempt, which is to come · `sleeps`: it may never end, and nobody minds. */
export type WorkKind = 'ends' | 'may-sleep' | 'sleeps';

/**
 * What a handler is given to wait for. What fails while nobody waits for it is the failure of its attempt: as an unhandled rejection it would end the process, with all that
 * runs in there.
 */
export class AwaitedWork {
  private readonly failures: { promise: HeardPromise<unknown>; error: unknown }[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private readonly mayBeAsleep = new Set<HeardPromise<unknown>>();

  given<T>(work: Promise<T>, kind: WorkKind): Promise<T> {
    const promise = new HeardPromise<T>((resolve, reject) => void work.then(resolve, reject));
    const ended = (): void => {
      this.underWay.delete(over);
      this.mayBeAsleep.delete(promise);
    };
    const over: Promise<void> = Promise.prototype.then.call(
      promise,
      () => ended(),
      (error: unknown) => {
        ended();
        this.failures.push({ promise, error });
      },
    ) as Promise<void>;
    if (kind === 'ends') this.underWay.add(over);
    if (kind === 'may-sleep') this.mayBeAsleep.add(promise);
    return promise;
  }

  /** Calls back when all that ends has ended: at once where nothing is under way. */
  whenOver(over: () => void): void {
    if (this.underWay.size === 0) return over();
    void Promise.all(this.underWay).then(() => this.whenOver(over));
  }

  /** Whether something goes on in a later attempt, and nobody has waited for it: the handler has not ended without it. */
  get hasUnheardAsleep(): boolean {
    return [...this.mayBeAsleep].some(({ isHeard }) => !isHeard);
  }

  /** The first failure that nobody has waited for; null: none. */
  get unheard(): { error: unknown } | null {
    return this.failures.find(({ promise }) => !promise.isHeard) ?? null;
  }
}
