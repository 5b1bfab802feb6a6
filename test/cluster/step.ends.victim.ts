import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { compiledTests } from '../support/compiled.js';
import type { StepEnd } from './step.ends.watch.js';
import type { StepEndsOrder, StepEndsWord } from './step.ends.worker.js';

/** A worker process that something is done to, and the workflow that is its own. */
export class Victim {
  private readonly words: StepEndsWord[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly child: ChildProcess;
  private hasEnded = false;

  constructor(
    readonly runId: string,
    readonly order: StepEndsOrder,
  ) {
    this.child = fork(join(compiledTests(), 'test/cluster/step.ends.worker.js'), {
      env: { ...process.env, STEP_ENDS_ORDER: JSON.stringify(order) },
      execArgv: [],
    });
    this.child.on('message', (word: StepEndsWord) => {
      this.words.push(word);
      this.tell();
    });
    this.child.on('exit', () => {
      this.hasEnded = true;
      this.tell();
    });
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

  goOn(): void {
    this.child.kill('SIGCONT');
  }

  /** Resolves when it is gone. */
  async end(): Promise<void> {
    if (this.hasEnded) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exit;
  }

  private said(isIt: (word: StepEndsWord) => boolean): Promise<StepEndsWord | null> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.words.find((word) => isIt(word));
        if (found === undefined && !this.hasEnded) return;
        this.listeners.delete(look);
        resolve(found ?? null);
      };
      this.listeners.add(look);
      look();
    });
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
