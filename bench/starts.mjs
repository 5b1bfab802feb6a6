// What a worker process notes of the starts of its handlers.

/** The wall clock of this machine with fractions of a millisecond, for lags between processes. */
export const wallNow = () => performance.timeOrigin + performance.now();

/** `since`: an instant (epoch ms) that the start is compared with; `key`: which of many. */
export class Starts {
  #count = 0;
  #first = NaN;
  #last = NaN;
  #noted = [];

  note(data) {
    const at = wallNow();
    this.#count++;
    if (this.#count === 1) this.#first = at;
    this.#last = at;
    // Of a drain only the number counts.
    if (data?.since !== undefined || data?.key !== undefined) {
      this.#noted.push({ at, since: data.since, key: data.key, early: Date.now() < data.since });
    }
  }

  get summary() {
    return { count: this.#count, first: this.#first, last: this.#last };
  }

  /** Everything noted since the last time; the count begins anew as well. */
  take() {
    const taken = { ...this.summary, noted: this.#noted };
    this.#count = 0;
    this.#noted = [];
    return taken;
  }
}
