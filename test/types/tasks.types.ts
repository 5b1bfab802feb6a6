// Never run: `npm run types` fails when a line marked as an error compiles, or when another does not.
import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import {
  defineJob,
  TaskExecutor,
  taskOf,
  workflow,
  type DefinitionService,
  type Job,
  type SchedulerService,
  type Task,
  type TaskContext,
  type TaskResult,
} from '../../lib/index.js';

declare const scheduler: SchedulerService;
declare const definitions: DefinitionService;

const task = { type: 'http', url: 'https://example.com' };
const Mail = defineJob<{ to: string }>('mail');

interface HttpTask {
  url: string;
}

@TaskExecutor('http', { aliases: ['https'], retryIf: () => true })
export class HttpExecutor implements TaskExecutor<HttpTask> {
  readonly schema = z.object({ url: z.string() });
  async execute({ url }: HttpTask, { signal, runId }: TaskContext): Promise<TaskResult> {
    return { url, runId, aborted: signal.aborted };
  }
}

export async function tasksTakeThePlaceOfHandlers(): Promise<void> {
  expectTypeOf(await scheduler.schedule({ task }, { in: 0, queue: 'a' })).toEqualTypeOf<Job>();
  await scheduler.createJob({ task, trigger: { type: 'manual' } });
  await scheduler.createCronJob({ task, hour: 9, minute: 0 });
  await scheduler.createIntervalJob({ task, every: '5m', overlap: 'skip' });
  await scheduler.createDateJob({ task, in: '5m', keep: '1d' });
  await scheduler.upsert({ task, id: 'a', cron: '@daily' });
  await scheduler.updateJob('a', { task });
  await scheduler.createMany([
    { task, in: 0 },
    { handler: 'work', payload: 1, in: 0 },
    { handler: Mail, payload: { to: 'ada' }, in: 0 },
  ]);
  await definitions.define({ name: 'a', task, every: '5m' });
  workflow('w').step('a', { task }, { maxRetries: 1 });
  expectTypeOf(taskOf(await scheduler.createJob({ task, in: 0 }))).toEqualTypeOf<Task | null>();
}

export async function notBesideThem(): Promise<void> {
  // @ts-expect-error A task is its own payload.
  await scheduler.createJob({ task, payload: 1, in: 0 });
  // @ts-expect-error A handler, or a task.
  await scheduler.createJob({ task, handler: 'work', in: 0 });
  // @ts-expect-error Neither.
  await scheduler.createJob({ in: 0 });
  // @ts-expect-error A task has a type.
  await scheduler.createJob({ task: { url: 'x' }, in: 0 });
  // @ts-expect-error A task is its own payload.
  await scheduler.schedule({ task }, { in: 0, payload: 1 });
  // @ts-expect-error A handler, or a task.
  await scheduler.updateJob('a', { task, handler: 'work' });
  // @ts-expect-error The payload of the reference is still checked.
  await scheduler.createMany([{ handler: Mail, payload: { to: 1 }, in: 0 }]);
  // @ts-expect-error A handler, or a task.
  await definitions.define({ name: 'a', task, handler: 'work' });
  // @ts-expect-error A task has no payload beside it.
  workflow('w').step('a', { task }, { payload: 1 });
  // @ts-expect-error There is no such option.
  TaskExecutor('x', { alias: ['y'] });
}

// @ts-expect-error A schema is missing.
export class WithoutSchema implements TaskExecutor {
  execute(): void {}
}
