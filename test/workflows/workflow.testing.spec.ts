import { afterEach, expect, test } from 'vitest';
import { ManualStep, Step, Workflow, WorkflowService, type StepContext } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';

const seen: string[] = [];
let chronis: ChronisTesting | null = null;

afterEach(async () => {
  await chronis?.close();
  chronis = null;
  seen.length = 0;
});

const at = (what: string): void => {
  seen.push(`${new Date(chronis!.clock.now()).toISOString().slice(0, 16)} ${what}`);
};

@Workflow('trial', { cron: '0 0 1 * *', timeZone: 'UTC', timeout: '10d' })
class Trial {
  @Step()
  begin(): void {
    at('begin');
  }

  @Step({ after: 'begin', delay: '3d', maxRetries: 1, backoff: '1h' })
  remind({ attempt }: StepContext): void {
    at(`remind ${attempt}`);
    if (attempt === 1) throw new Error('The mail server is away.');
  }

  @ManualStep({ after: 'remind', timeout: '2d' })
  answer(): void {}

  @Step({ after: 'answer', otherwise: 'run' })
  async close(ctx: StepContext): Promise<void> {
    at(`close ${(await ctx.parent('answer')).verdict}`);
  }
}

async function create(): Promise<WorkflowService> {
  chronis = await ChronisTesting.create({ providers: [Trial], startAt: '2030-01-31T23:00Z' });
  return chronis.app.get(WorkflowService);
}

test('a test lets days of a workflow pass, with its delays, retries and deadlines', async () => {
  const workflows = await create();
  await chronis!.advanceBy('3d');
  expect(seen).toEqual(['2030-02-01T00:00 begin']);
  await chronis!.advanceBy('3d');
  expect(seen.slice(1)).toEqual([
    '2030-02-04T00:00 remind 1',
    '2030-02-04T01:00 remind 2',
    '2030-02-06T01:00 close timed_out',
  ]);
  expect((await workflows.list()).items).toMatchObject([{ workflow: 'trial', state: 'failed' }]);
});

test('a test answers what a workflow waits for', async () => {
  const workflows = await create();
  await chronis!.advanceBy('3d2h');
  const { runId } = (await workflows.list({ state: 'active' })).items[0]!;
  await chronis!.advanceBy('1d');
  await workflows.complete({ runId, step: 'answer' }, 'yes');
  await chronis!.advanceBy(0);
  expect(seen.at(-1)).toBe('2030-02-05T01:00 close succeeded');
  expect(await workflows.get(runId)).toMatchObject({ state: 'succeeded' });
});
