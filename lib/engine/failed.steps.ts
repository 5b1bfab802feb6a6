type Step = 'claim' | 'fire';

/**
 * The steps of the loop that have failed, and have neither got through since nor become needless: a turn that had nothing to do but look says nothing of whether the loop gets through
 * with what failed before.
 */
export class FailedSteps {
  private readonly failed = new Set<Step>();

  get isAny(): boolean {
    return this.failed.size > 0;
  }

  has(step: Step): boolean {
    return this.failed.has(step);
  }

  /** What the step resolves to, or rejects with. */
  async during<T>(step: Step, call: Promise<T>): Promise<T> {
    try {
      const value = await call;
      this.failed.delete(step);
      return value;
    } catch (error) {
      this.failed.add(step);
      throw error;
    }
  }

  /** Others have done it, or there is no room for it. */
  isNeedless(step: Step): void {
    this.failed.delete(step);
  }
}
