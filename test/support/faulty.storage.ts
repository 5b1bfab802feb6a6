import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';

type Method = keyof {
  [
    K in keyof StorageAdapter as StorageAdapter[K] extends (...args: never[]) => Promise<unknown> ? K : never
  ]: 0;
};

/** `before`: the storage never sees the call · `after`: it does what was asked, but the answer is lost. */
type Fault = 'before' | 'after';

/** Lets calls to a storage fail on demand. */
export class FaultyStorage {
  readonly calls: string[] = [];
  private readonly faults = new Map<Method, Fault[]>();
  private down = false;
  readonly storage: StorageAdapter;

  constructor(storage: StorageAdapter) {
    this.storage = new Proxy(storage, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          this.call(key as Method, () => Reflect.apply(value, target, args) as unknown);
      },
    });
  }

  /** The next calls of this method fail, one fault each. */
  fail(method: Method, ...faults: Fault[]): void {
    this.faults.set(method, [...(this.faults.get(method) ?? []), ...faults]);
  }

  /** No more calls of this method fail. */
  relent(method: Method): void {
    this.faults.delete(method);
  }

  /** All calls fail until `up()`. */
  goDown(): void {
    this.down = true;
  }

  comeUp(): void {
    this.down = false;
  }

  private async call(method: Method, perform: () => unknown): Promise<unknown> {
    this.calls.push(method);
    if (this.down) throw new Error('The storage is away.');
    const fault = this.faults.get(method)?.shift();
    if (fault === 'before') throw new Error(`${method} failed.`);
    const answer = await perform();
    if (fault === 'after') throw new Error(`The answer of ${method} was lost.`);
    return answer;
  }
}
