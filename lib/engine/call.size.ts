/** How much one call carries: half as much after one that failed, as it may have been too much for its deadline, and twice as much after each that did not. */
export class CallSize {
  private now: number;

  constructor(private readonly most: number) {
    this.now = most;
  }

  /** At least 1. */
  get value(): number {
    return this.now;
  }

  /** A call that carried so much has failed. */
  shrink(carried: number): void {
    this.now = Math.max(Math.floor(Math.min(carried, this.now) / 2), 1);
  }

  grow(factor = 2): void {
    this.now = Math.min(Math.ceil(this.now * factor), this.most);
  }
}
