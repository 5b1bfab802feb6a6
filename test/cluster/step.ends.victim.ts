import { TellingProcess } from '../support/telling.process.js';
import type { StepEnd } from './step.ends.watch.js';
import type { StepEndsOrder, StepEndsWord } from './step.ends.worker.js';

/** A worker process that something is done to, and the workflow that is its own. */
export class Victim extends TellingProcess<StepEndsOrder, StepEndsWord> {
  constructor(
    readonly runId: string,
    order: StepEndsOrder,
  ) {
    super('cluster/step.ends.worker', order);
  }

  get queue(): string {
    return this.order.queue;
  }

  /** Resolves when its first attempt to end this step has been answered; null: it has ended before. */
  async endOf(step: string): Promise<StepEnd | null> {
    return (await this.said((word) => typeof word === 'object' && word.step === step)) as StepEnd | null;
  }

  /** Resolves to false where it has ended before. */
  async isStriking(): Promise<boolean> {
    return (await this.said((word) => word === 'striking')) !== null;
  }
}
