import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { compiledTests } from './compiled.js';

/** A process of its own that gets an order, as JSON in `ORDER`, and tells words. */
export class TellingProcess<O, W> {
  readonly words: W[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly child: ChildProcess;
  private hasEnded = false;
  /** By which it was killed; null: by none, or it goes on. */
  signal: NodeJS.Signals | null = null;

  /** `script`: below `test`, without its ending. */
  constructor(
    script: string,
    readonly order: O,
  ) {
    this.child = fork(join(compiledTests(), 'test', `${script}.js`), {
      env: { ...process.env, ORDER: JSON.stringify(order) },
      execArgv: [],
    });
    this.child.on('message', (word: W) => {
      this.words.push(word);
      this.tell();
    });
    // Not `exit`: what it told last may still be on its way.
    this.child.on('close', (_, signal) => {
      this.hasEnded = true;
      this.signal = signal;
      this.tell();
    });
  }

  goOn(): void {
    this.child.kill('SIGCONT');
  }

  /** Kills it, and resolves when it is gone. */
  async end(): Promise<void> {
    if (this.hasEnded) return;
    const close = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await close;
  }

  /** Resolves with the first word that fits; null: it has ended before. */
  said(fits: (word: W) => boolean): Promise<W | null> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.words.find((word) => fits(word));
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
