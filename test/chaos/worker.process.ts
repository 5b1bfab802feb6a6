import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Period, WorkerOptions } from './chaos.options.js';
import { TcpProxy } from './tcp.proxy.js';

/** A good deal longer than the shutdown that the worker was given, as the machine has other things to do. */
const closesWithinMs = 20_000;

/** One worker and the network between it and the database. */
export class WorkerProcess {
  /** Something is being done to it. */
  busy = false;
  /** One of its handlers has ended it. */
  poisoned = false;
  private said = '';
  private expected = false;
  private tookTooLong = false;

  private constructor(
    readonly options: Omit<WorkerOptions, keyof Period>,
    readonly proxy: TcpProxy,
    private readonly child: ChildProcess,
    /** Resolves when the process has ended. */
    readonly ended: Promise<unknown>,
  ) {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.said = (this.said + text).slice(-6_000)));
    }
  }

  /** The process and its network are there; it is still loading. */
  static async begin(
    options: Omit<WorkerOptions, keyof Period>,
    databasePort: number,
  ): Promise<WorkerProcess> {
    const proxy = await TcpProxy.to(databasePort);
    const url = new URL(options.url);
    url.port = String(proxy.port);
    const child = fork(new URL('./chaos.worker.js', import.meta.url), {
      env: { ...process.env, CHAOS_WORKER: JSON.stringify({ ...options, url: url.href }) },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const ended = once(child, 'exit');
    const worker = new WorkerProcess(options, proxy, child, ended);
    child.on('message', (message) => {
      if (message === 'poisoned') worker.poisoned = worker.expected = true;
    });
    return worker;
  }

  /** Resolves when it works; rejects when it ends before. `period` is asked for when it has loaded, and is what it is told of its jobs. */
  async works(period: () => Promise<Period>): Promise<void> {
    const next = async (): Promise<unknown> =>
      ((await Promise.race([once(this.child, 'message'), this.ended])) as [unknown])[0];
    const first = await next();
    if (first === 'loaded') this.child.send(await period());
    if (first !== 'loaded' || (await next()) !== 'ready') {
      this.proxy.close();
      throw new Error(`The worker ${this.options.name} did not start:\n${this.said}`);
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** What it said last, if it has ended though nobody asked it to; null: all is well. */
  get crash(): string | null {
    if (this.tookTooLong)
      return `${this.options.name} did not close within ${closesWithinMs} ms: ${this.said}`;
    const over = this.child.exitCode !== null || this.child.signalCode !== null;
    return over && !this.expected
      ? `${this.options.name} (${this.child.exitCode ?? this.child.signalCode}): ${this.said}`
      : null;
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name);
  }

  /** Ends it; resolves when it is gone. */
  async end(name: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.expected = true;
    this.child.kill(name);
    const killer = setTimeout(() => {
      this.tookTooLong = true;
      this.child.kill('SIGKILL');
    }, closesWithinMs);
    await this.ended;
    clearTimeout(killer);
    this.proxy.close();
  }
}
