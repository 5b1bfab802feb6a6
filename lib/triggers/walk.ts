/** A computation over very many instants that may be interrupted: gives how many it has walked over since the last time, and in the end its result. */
export type Walk<T> = Generator<number, T, void>;

/** So many instants are walked over at a time. */
export const stride = 1_000;

/** All at once. */
export function walked<T>(walk: Walk<T>): T {
  for (;;) {
    const step = walk.next();
    if (step.done) return step.value;
  }
}
