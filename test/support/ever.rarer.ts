/** When to look again at what takes the longer to look at the more there is of it: each time at first; then every second time, every third … */
export class EverRarer {
  private looked = 0;
  private leftOut = 0;

  /** `eachTime`: once so much was looked at, one more is left out between two looks. */
  constructor(private readonly eachTime: number) {}

  isDue(): boolean {
    if (this.leftOut === 0) return true;
    this.leftOut--;
    return false;
  }

  /** So much was looked at. */
  took(amount: number): void {
    this.looked += amount;
    this.leftOut = Math.floor(this.looked / this.eachTime);
  }
}
