import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { compiledTests } from '../support/compiled.js';

/** The ready service in a process of its own. */
export class RunningService {
  stdout = '';
  stderr = '';
  private readonly changed = new EventEmitter();
  private readonly ended: Promise<[code: number | null, signal: string | null]>;

  private constructor(
    readonly child: ChildProcess,
    private isOver = false,
  ) {
    this.ended = once(child, 'close') as typeof this.ended;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
        this.changed.emit('more');
      });
    }
    void this.ended.then(() => {
      this.isOver = true;
      this.changed.emit('more');
    });
  }

  /** With no variables but these and what every process needs. */
  static start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningService {
    const bin = join(compiledTests(), 'lib/cli/bin.js');
    const { PATH = '', LANG = '' } = process.env;
    return new RunningService(
      spawn(process.execPath, [bin, 'run', ...args], {
        env: { PATH, LANG, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
  }

  /** Until this stands on stdout or stderr. Rejects when the process ends before. */
  async says(text: string | RegExp): Promise<void> {
    const has = (): boolean =>
      typeof text === 'string'
        ? (this.stdout + this.stderr).includes(text)
        : text.test(this.stdout) || text.test(this.stderr);
    while (!has()) {
      if (this.isOver)
        throw new Error(`It has ended and did not say ${text}:\n${this.stdout}\n${this.stderr}`);
      await once(this.changed, 'more');
    }
  }

  /** What it ends with. */
  async end(signal?: NodeJS.Signals): Promise<number | string> {
    if (signal !== undefined) this.child.kill(signal);
    const [code, by] = await this.ended;
    return code ?? by!;
  }

  /** In the end of a test, however it ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isOver) await this.end('SIGKILL');
  }
}
