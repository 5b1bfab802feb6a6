import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { SeededRandom } from '../simulation/seeded.random.js';
import { pause } from './pause.js';

export interface PackOptions {
  /** Compiled; it says 'ready'. */
  workerFile: string;
  env: Record<string, string>;
  workers: number;
  seed: number;
  leaseMs: number;
  /** Between two faults. */
  everyMs: number;
}

/** Worker processes that are killed and frozen in turns, and replaced. */
export class Pack {
  isOver = false;
  kills = 0;
  freezes = 0;
  private readonly random: SeededRandom;
  private readonly children = new Set<ChildProcess>();
  private readonly starting = new Set<Promise<void>>();

  constructor(private readonly options: PackOptions) {
    this.random = new SeededRandom(options.seed);
  }

  async begin(): Promise<void> {
    await Promise.all(Array.from({ length: this.options.workers }, () => this.add()));
  }

  async harm(): Promise<void> {
    const { everyMs, leaseMs } = this.options;
    for (let turn = 0; !this.isOver; turn++) {
      await pause(everyMs);
      // Somebody has to be left to go on.
      if (this.children.size < 2) continue;
      const child = this.random.pick([...this.children]);
      if (turn % 4 === 3) {
        this.freezes++;
        child.kill('SIGSTOP');
        await pause(1.5 * leaseMs);
        child.kill('SIGCONT');
      } else {
        this.kills++;
        this.children.delete(child);
        child.kill('SIGKILL');
        this.starting.add(this.add());
      }
    }
  }

  /** Rejects where one did not start. */
  async started(): Promise<void> {
    await Promise.all(this.starting);
  }

  async end(): Promise<void> {
    this.isOver = true;
    await Promise.allSettled(this.starting);
    const ended = Array.from(this.children, (child) => once(child, 'exit'));
    for (const child of this.children) child.kill('SIGKILL');
    await Promise.all(ended);
  }

  private async add(): Promise<void> {
    const { workerFile, env } = this.options;
    const child = fork(workerFile, { env: { ...process.env, ...env }, execArgv: [] });
    const said = await Promise.race([once(child, 'message'), once(child, 'exit')]);
    if (said[0] !== 'ready') throw new Error(`A worker did not start: ${workerFile}`);
    this.children.add(child);
  }
}
