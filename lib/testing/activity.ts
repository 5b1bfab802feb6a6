import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { defaultPolicies, type ChronisEvents, type ClaimedRun, type RunEvent } from '../index.js';
import { observeExecutions, type Execution } from './execution.js';
import type { StorageWatch } from './watched.storage.js';

/** A handler that has not ended. */
export interface RunningHandler {
  readonly run: RunEvent;
  readonly hasTimeout: boolean;
  /** Time was let pass while it runs, so nobody waits for it. */
  overtaken: boolean;
}

/** What goes on in the application under test: the calls of its storages, its handlers. */
export class Activity implements StorageWatch {
  private readonly calls: string[] = [];
  private readonly timeouts = new Map<string, number | null>();
  private readonly handlers = new Map<string, RunningHandler>();
  private readonly executions: Execution[] = [];
  private tell: () => void = () => undefined;

  callBegan(method: string): void {
    this.calls.push(method);
  }

  callEnded(method: string): void {
    this.calls.splice(this.calls.indexOf(method), 1);
    this.tell();
  }

  claimed(workerId: string, runs: readonly ClaimedRun[]): void {
    for (const { id, policies } of runs) {
      this.timeouts.set(keyOf(workerId, id), policies.timeoutMs ?? defaultPolicies.timeoutMs);
    }
  }

  observe(events: ChronisEvents): void {
    observeExecutions(
      events,
      (run) => this.begin(run),
      (run, execution) => {
        this.forget(run);
        if (execution !== null) this.executions.push(execution);
        this.tell();
      },
    );
    events.on('worker.lease-lost', ({ workerId }) => {
      // Nobody tells how its handlers end.
      for (const { run } of this.running) if (run.workerId === workerId) this.forget(run);
    });
  }

  /** The calls of storages that have no answer yet. */
  get unanswered(): readonly string[] {
    return this.calls;
  }

  get running(): readonly RunningHandler[] {
    return [...this.handlers.values()];
  }

  /** How many executions have ended so far. */
  get count(): number {
    return this.executions.length;
  }

  /** Those that ended after the first `count`. */
  since(count: number): Execution[] {
    return this.executions.slice(count);
  }

  /** Lets everything happen that needs neither time nor input. */
  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Waits in real time for a call or a handler to end. False: none did within `ms`. */
  change(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (changed: boolean): void => {
        clearTimeout(timer);
        this.tell = () => undefined;
        resolve(changed);
      };
      const timer = setTimeout(end, ms, false);
      this.tell = () => end(true);
    });
  }

  private begin(run: RunEvent): void {
    const key = keyOf(run.workerId, run.runId);
    const hasTimeout = (this.timeouts.get(key) ?? null) !== null;
    this.handlers.set(key, { run, hasTimeout, overtaken: false });
  }

  private forget({ workerId, runId }: RunEvent): void {
    const key = keyOf(workerId, runId);
    this.handlers.delete(key);
    this.timeouts.delete(key);
  }
}

function keyOf(workerId: string, runId: string): string {
  return `${workerId} ${runId}`;
}
