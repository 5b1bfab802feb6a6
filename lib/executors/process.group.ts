import { spawn, type ChildProcess } from 'node:child_process';
import { KeptOutput } from './kept.output.js';
import { membersOf } from '../processes/process.table.js';

/** What is to be run. */
export interface GroupOrder {
  file: string;
  args: readonly string[];
  /** What it is called by. */
  argv0: string;
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** null: it reads nothing. */
  stdin: string | null;
  /** null: whom this process is. */
  user: { uid: number; gid: number } | null;
  /** From SIGTERM to SIGKILL. */
  graceMs: number;
  /** Stops all of it. */
  signal: AbortSignal;
  /** Called when it has begun, and when nothing of it is there any more, unless this process ends before. */
  begun: (group: number) => void;
  ended: (group: number) => void;
}

/** How it has ended: by an exit code, or by a signal. */
export interface GroupEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: KeptOutput;
  stderr: KeptOutput;
}

/** A process that left the group may hold the output open for ever. */
const closeMs = 1_000;
const pollMs = 20;
const longestPollMs = 160;

/** Groups that go on, for the end of this process. */
const living = new Set<number>();

/**
 * Runs a program as the leader of a process group of its own, so that all that it starts is stopped with it: SIGTERM, a grace, SIGKILL, all to the group. The run is over when the program has exited, whoever still holds its output, and nothing of
 * the group outlives it; what made a session of its own (setsid) does.
 *
 * A signal goes to a group only as long as this process knows that it is the one it started: until the leader is reaped, and from then on as long as the group has never been seen empty.
 *
 * Rejects with what keeps the program from being started.
 */
export async function runGroup(order: GroupOrder): Promise<GroupEnd> {
  order.signal.throwIfAborted();
  const child = spawn(order.file, order.args, {
    argv0: order.argv0,
    cwd: order.cwd,
    env: order.env,
    ...(order.user === null ? {} : order.user),
    detached: true,
    shell: false,
    stdio: [order.stdin === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const { pid } = child;
  // Without a process there is an error in a moment.
  if (pid === undefined) return new Promise((_, reject) => void child.once('error', reject));
  const group = new ProcessGroup(pid, order);
  const stop = (): void => void group.stop();
  order.signal.addEventListener('abort', stop, { once: true });
  try {
    // It may follow the exit at once.
    const closing = new Promise<void>((resolve) => void child.once('close', () => resolve()));
    const outputs = [keep(child.stdout!), keep(child.stderr!)] as const;
    feed(child, order.stdin);
    const [exitCode, signal] = await exitOf(child, () => group.reaped());
    await within(closing, child);
    await group.stop();
    return { exitCode, signal, stdout: outputs[0], stderr: outputs[1] };
  } finally {
    order.signal.removeEventListener('abort', stop);
    await group.stop();
    group.forget();
  }
}

class ProcessGroup {
  private stopping: Promise<void> | null = null;
  private watching: NodeJS.Timeout | null = null;
  private isGone = false;

  constructor(
    private readonly id: number,
    private readonly order: GroupOrder,
  ) {
    if (living.size === 0) process.on('exit', killLiving);
    living.add(id);
    order.begun(id);
  }

  /** The leader is: as soon as the group is empty, its id may be that of another one. */
  reaped(): void {
    this.watching = setInterval(() => this.look(), pollMs);
    this.look();
  }

  /** Resolves when nothing of it is there any more. */
  stop(): Promise<void> {
    return (this.stopping ??= this.end());
  }

  forget(): void {
    if (this.watching !== null) clearInterval(this.watching);
    this.release();
    this.order.ended(this.id);
  }

  private look(): boolean {
    const isReaped = this.watching !== null;
    const isThere = !this.isGone && signalGroup(this.id, 0);
    if (isReaped && !isThere) {
      this.isGone = true;
      this.release();
    }
    return isThere;
  }

  private release(): void {
    living.delete(this.id);
    if (living.size === 0) process.off('exit', killLiving);
  }

  private async end(): Promise<void> {
    if (!this.look()) return;
    signalGroup(this.id, 'SIGTERM');
    if (await this.isEmptyWithin(this.order.graceMs)) return;
    signalGroup(this.id, 'SIGKILL');
    // Those that wait for a device cannot be killed before it answers; nobody waits for them.
    await this.isEmptyWithin(closeMs);
  }

  /** Who is dead counts as gone, as a first process that looks at no ends leaves it in the group for ever. */
  private async isEmptyWithin(ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    for (let waitMs = pollMs; performance.now() < until; waitMs = Math.min(2 * waitMs, longestPollMs)) {
      await pause(waitMs);
      if (!this.look() || membersOf(this.id)?.length === 0) return true;
    }
    return false;
  }
}

/** False: there is no such group (any more). */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    // It is there, and of somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What is left when this process ends without having stopped its runs. */
function killLiving(): void {
  for (const group of living) signalGroup(group, 'SIGKILL');
}

function keep(stream: NodeJS.ReadableStream): KeptOutput {
  const kept = new KeptOutput();
  stream.on('data', (chunk: Buffer) => kept.add(chunk));
  stream.on('error', () => {});
  return kept;
}

function feed({ stdin }: ChildProcess, text: string | null): void {
  if (stdin === null) return;
  // It need not read (EPIPE).
  stdin.on('error', () => {});
  stdin.end(text);
}

function exitOf(child: ChildProcess, reaped: () => void): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      // At once, and not when somebody comes to it.
      reaped();
      resolve([code, signal]);
    });
    // Of signals to the process, and none that matters here.
    child.on('error', () => {});
  });
}

/** Does not wait for ever for the end of the output. */
function within(closing: Promise<void>, child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.stdout!.destroy();
      child.stderr!.destroy();
      resolve();
    }, closeMs);
    void closing.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
