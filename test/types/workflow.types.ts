// Never run: the type check fails when a line marked as an error compiles, or when another does not.
import { z } from 'zod';
import { workflow, type JsonValue, type SchedulerService, type WorkflowService } from '../../lib/index.js';

declare function is<T>(value: T): void;
declare const scheduler: SchedulerService;
declare const workflows: WorkflowService;

interface Named {
  id: string;
}
declare const named: Named;
const plain = workflow('plain').step('a', () => 1);

const Order = z.object({ id: z.string(), at: z.coerce.date(), lines: z.array(z.number()).default([]) });

export const order = workflow('order', { params: Order, timeout: '7d', queue: 'orders' })
  .step('charge', async (ctx) => {
    is<string>(ctx.params.id);
    // What the schema gives, as JSON: defaults are there, and a Date is text.
    is<string>(ctx.params.at);
    is<number[]>(ctx.params.lines);
    is<string>(ctx.payload.id);
    // @ts-expect-error It has no parents.
    await ctx.result('charge');
    return { id: 7, on: new Date() };
  })
  .step('lines', (ctx) => ctx.params.lines.map((line) => ({ line })))
  .step('note', () => undefined)
  .map(
    'pack',
    async (ctx) => {
      is<number>(ctx.item.line);
      is<number>(ctx.payload.line);
      is<string>(ctx.params.id);
      for await (const { line } of ctx.results('lines')) is<number>(line);
      return `${ctx.item.line}`;
    },
    { after: 'lines', maxRetries: 3, when: (results) => results.lines.length > 0 },
  )
  .step(
    'ship',
    async (ctx) => {
      const charge = await ctx.result('charge');
      is<number>(charge.id);
      is<string>(charge.on);
      is<null>(await ctx.result('note'));
      is<string[]>(await ctx.result('pack'));
      for await (const packed of ctx.results('pack')) is<string>(packed);
      is<string | null>((await ctx.parent('lines')).verdict);
      // @ts-expect-error It only waits for this one.
      await ctx.result('lines');
    },
    { after: ['charge', 'note', 'pack', { step: 'lines', order: true }], need: 2, otherwise: 'run' },
  )
  .manual('approve', { after: 'ship', timeout: '2d' })
  .step('mail', 'send-mail', { after: 'approve', payload: { to: 'all' } })
  .step('end', async (ctx) => is<JsonValue>(await ctx.result('mail')), { after: ['mail'] });

// @ts-expect-error There is no step of this name before it.
workflow('x').step('a', () => 1, { after: 'b' });
const number = workflow('x').step('a', () => 1);
// @ts-expect-error What a map goes through is a list, so it has no item.
number.map('b', (ctx) => ctx.item.length, { after: 'a' });
// @ts-expect-error A function belongs to the handler.
workflow('x').step('a', 'send', { when: () => true });

/** A workflow is a step of another. */
export const month = workflow<{ month: number }>('month')
  .step('days', (ctx) => [ctx.params.month])
  .step('order', order, { payload: { id: 'a', at: '2030-01-01' }, after: 'days' });

// @ts-expect-error another workflow gets what it is started with
workflow('wrong').step('order', order, { payload: { id: 1, at: '2030-01-01' } });

export async function started(): Promise<void> {
  await scheduler.schedule(order, { in: 0, payload: { id: 'a', at: '2030-01-01' } });
  // @ts-expect-error Its params lack an id.
  await scheduler.schedule(order, { in: 0, payload: { at: '2030-01-01' } });
  await workflows.start(order, { params: { id: 'a', at: '2030-01-01' }, key: 'a' });
  // @ts-expect-error Its params lack an id.
  await workflows.start(order, { params: { at: '2030-01-01' } });
  // @ts-expect-error It has no params.
  await workflows.start(order);
  await workflows.start(plain);
  await workflows.start('order', { params: named });
  await workflows.start('order');
  // @ts-expect-error A Date is no JSON.
  await workflows.start('order', { params: { at: new Date() } });
  await workflows.forTenant('acme').start(order, { params: { id: 'a', at: '2030-01-01' } });
  // @ts-expect-error Its params lack an id.
  await workflows.forTenant('acme').start(order, { params: { at: '2030-01-01' } });
  await scheduler.schedule(month, { cron: '0 0 1 * *', payload: { month: 1 } });
}
