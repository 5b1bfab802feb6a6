import type { OnApplicationShutdown } from '@nestjs/common';
import { EmitFailedError, TaskExecutor, type StandardSchema, type TaskContext } from '../index.js';
import type { EmitSettings } from './emit.options.js';
import { reasonOf, wordsOf } from './emit.reasons.js';
import { emitSchema, type CheckedEmit, type EmitTask } from './emit.task.js';

const longestCloseMs = 2_000;

/** What comes of handing a run over. @publicApi */
export interface EmitResult {
  /** By which the receiver tells a second delivery. */
  key: string;
}

/** Hands runs to brokers, and to queues of BullMQ, with their ids as keys. @publicApi */
@TaskExecutor('emit', { packaged: true })
export class EmitExecutor implements TaskExecutor<CheckedEmit>, OnApplicationShutdown {
  readonly schema: StandardSchema<EmitTask, CheckedEmit>;

  constructor(private readonly settings: EmitSettings) {
    this.schema = emitSchema(settings);
  }

  /** After the last run: those are waited for in onModuleDestroy. All at once, and for as long as a message may take, but 2 s at most: the storage is given back after this. */
  async onApplicationShutdown(): Promise<void> {
    const { clients, queues, timeoutMs } = this.settings;
    const withinMs = Math.min(timeoutMs, longestCloseMs);
    await Promise.all([...clients.values(), ...queues.values()].map((each) => each.close(withinMs)));
  }

  /** Throws EmitFailedError, and the reason of the signal. */
  async execute(task: CheckedEmit, { runId, signal }: TaskContext): Promise<EmitResult> {
    signal.throwIfAborted();
    const key = `${this.settings.keyPrefix}${runId}`;
    const to = 'queue' in task ? `the queue "${task.queue}"` : `"${task.client}"`;
    try {
      await this.within(to, signal, this.handOver(task, key));
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof EmitFailedError) throw cause;
      const reason = reasonOf(cause);
      throw new EmitFailedError(`${to} did not take the message: ${wordsOf(reason)}.`, { cause: reason });
    }
    return { key };
  }

  private async handOver(task: CheckedEmit, key: string): Promise<void> {
    if ('queue' in task) {
      // A second one with its id is none.
      await this.settings.queues.get(task.queue)!.add(task.name, task.data, { ...task.options, jobId: key });
      return;
    }
    await this.settings.clients.get(task.client)!.emit({ pattern: task.pattern, data: task.data, key });
  }

  /** Drivers wait for their connection for ever, some of them. */
  private async within(to: string, signal: AbortSignal, work: Promise<void>): Promise<void> {
    const { timeoutMs } = this.settings;
    let stop!: () => void;
    let timer!: NodeJS.Timeout;
    const over = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason as Error);
      timer = setTimeout(() => {
        reject(
          new EmitFailedError(`${to} did not take the message within ${timeoutMs} ms. It may still arrive.`),
        );
      }, timeoutMs);
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await Promise.race([work, over]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      // What comes of it afterwards is nobody's.
      work.catch(() => {});
      over.catch(() => {});
    }
  }
}
