/** A promise that resolves takes one to three of them for each async function that waits for it. */
const ticksToFollow = 100;

/** The end of a step, which has its turn when all before it have had theirs. */
interface End {
  readonly nth: number;
  isReady: boolean;
  tell: () => void;
}

/**
 * The order in which the steps of a run end. It is on record, and later attempts give their results in it: what was the first of two when a handler chose between them (`Promise.race`) is so for ever.
 *
 * Each end has a number. It is told when it is ready, and no smaller number has begun that is not told: between two of them what waits for the first has the time to begin the step that follows.
 */
export class StepOrder {
  private last = 0;
  private readonly ends = new Set<End>();
  private isTelling = false;
  private lookUps = 0;
  private awaitingLookUps: (() => void)[] = [];

  /** Numbers up to this one have been given by earlier attempts. */
  startAfter(last: number): void {
    this.last = Math.max(this.last, last);
  }

  /** A number for a step that is about to end. `drop`: it does not. */
  next(): { nth: number; told: () => Promise<void>; drop: () => void } {
    const end: End = { nth: ++this.last, isReady: false, tell: () => undefined };
    this.ends.add(end);
    const drop = (): void => {
      this.ends.delete(end);
      void this.tellReady();
    };
    return { nth: end.nth, told: () => this.told(end), drop };
  }

  /** Resolves when it is the turn of a step that has ended in an earlier attempt. */
  turnOf(nth: number): Promise<void> {
    const end: End = { nth, isReady: false, tell: () => undefined };
    this.ends.add(end);
    return this.told(end);
  }

  /** While it goes on, what only the time ends waits: a signal that has come by now is told first. */
  async lookingUp<T>(work: () => Promise<T>): Promise<T> {
    this.lookUps++;
    try {
      return await work();
    } finally {
      if (--this.lookUps === 0) for (const resolve of this.awaitingLookUps.splice(0)) resolve();
    }
  }

  /** Resolves when nothing is looked up, and what has begun beside has had the time to. */
  async untilLookedUp(): Promise<void> {
    await follow();
    while (this.lookUps > 0) {
      await new Promise<void>((resolve) => this.awaitingLookUps.push(resolve));
      await follow();
    }
  }

  private told(end: End): Promise<void> {
    return new Promise((resolve) => {
      end.isReady = true;
      end.tell = resolve;
      void this.tellReady();
    });
  }

  private async tellReady(): Promise<void> {
    if (this.isTelling) return;
    this.isTelling = true;
    for (;;) {
      await follow();
      let first: End | null = null;
      for (const end of this.ends) if (first === null || end.nth < first.nth) first = end;
      if (first === null || !first.isReady) break;
      this.ends.delete(first);
      first.tell();
    }
    this.isTelling = false;
  }
}

/** Lets go on what waits for a promise that has resolved, until it is `over`: no clock is asked for that, and none has to go on. */
export async function follow(isOver: () => boolean = () => false): Promise<void> {
  for (let ticks = 0; ticks < ticksToFollow && !isOver(); ticks++) await Promise.resolve();
}
