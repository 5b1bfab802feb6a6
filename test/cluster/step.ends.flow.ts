import type { INestApplicationContext } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SchedulerService, workflow, WorkflowService } from '../../lib/index.js';

/** The steps whose ends differ: it adds a step and hands a list to a map · ends within a transaction of its own · ends the workflow. */
export const endingSteps = ['split', 'write', 'last'] as const;
export type EndingStep = (typeof endingSteps)[number];

/** What the workflow comes to, whatever is done to its workers. */
export const wholeResult = { last: [60, 'more'] };

/** Registers the code of the workflow `ends`; `begun` is called by each step before it does anything. */
export function registerSteps(
  app: INestApplicationContext,
  schema: string,
  begun: (runId: string, step: string) => unknown = () => undefined,
): void {
  const ends = workflow('ends')
    .step('split', async (ctx) => {
      await begun(ctx.runId, 'split');
      ctx.addSteps([{ name: 'more', handler: 'more', after: 'split', before: 'last' }]);
      return [1, 2, 3];
    })
    .map(
      'each',
      async (ctx) => {
        await begun(ctx.runId, 'each');
        return ctx.item * 10;
      },
      { after: 'split' },
    )
    .step(
      'write',
      async (ctx) => {
        await begun(ctx.runId, 'write');
        const items = await ctx.result('each');
        await ctx.transaction(async (manager) => {
          const text = `insert into "${schema}".effect (workflow) values ($1)`;
          await (manager as EntityManager).query(text, [ctx.workflow.runId]);
          return items.reduce((sum, item) => sum + item, 0);
        });
      },
      { after: 'each' },
    )
    .step(
      'last',
      async (ctx) => {
        await begun(ctx.runId, 'last');
        const { result } = ctx as unknown as { result: (name: string) => Promise<unknown> };
        return [await result('write'), await result('more')] as [number, string];
      },
      { after: 'write' },
    );
  app.get(WorkflowService).register(ends);
  const scheduler = app.get(SchedulerService);
  scheduler.registerHandler('more', async (ctx) => {
    await begun(ctx.runId, 'more');
    return 'more';
  });
  scheduler.registerHandler('told', () => undefined);
}
