import { expect, test } from 'vitest';
import { Tracing } from '../../lib/engine/tracing.js';
import { HandlerRegistry } from '../../lib/engine/handler.registry.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { BulkChecker, type Checked } from '../../lib/scheduler/bulk.checker.js';
import { defineJob } from '../../lib/scheduler/define.job.js';
import { HandlerDirectory } from '../../lib/scheduler/handler.directory.js';
import { JobCreator } from '../../lib/scheduler/job.creator.js';
import { StorageNow } from '../../lib/scheduler/storage.now.js';

const now = Date.UTC(2026, 5, 1);
const clock = new ManualClock(now);
const storage = new MemoryStorage({ clock });
const handlers = new HandlerRegistry();
for (const name of ['work', 'other', 'tagged', 'plain']) handlers.register(name, () => undefined, 'test');
const schema = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) => (value === 1 ? { value } : { issues: [{ message: 'not one' }] }),
  },
};
handlers.register('strict', () => undefined, 'test', { schema });

const defaults = { timeZone: 'Asia/Seoul', payloadLimit: 100, calendars: {} };
const creator = new JobCreator(
  defaults,
  new HandlerDirectory({
    local: handlers,
    app: 'shop',
    storage,
    works: () => true,
    allowsUnknown: false,
  }),
  new StorageNow(storage, clock),
  new Tracing(),
);

const plain = defineJob<any>('plain', { queue: 'mail', maxRetries: 3 });
const tagged = defineJob<any>('tagged', { metadata: { team: 'growth' } });
const backoff = { type: 'fixed', delay: '5s' };
class Item {
  handler = 'work';
  in = '1h';
}

/** Like each other in one way or another, right and wrong. */
const items: unknown[] = [
  { handler: 'work', at: now },
  { handler: 'work', in: '1h' },
  { in: '1h', handler: 'work' },
  { handler: 'work', in: 0, payload: { n: 1 } },
  { handler: 'work', in: '1h', payload: null, metadata: null },
  { handler: 'work', in: '1h', metadata: { n: 1 }, id: 'a' },
  { handler: 'work', in: '1h', id: undefined, payload: undefined, metadata: undefined },
  { handler: 'work', at: '2026-07-01 10:00' },
  { handler: 'work', at: '2026-07-01 10:00', timeZone: 'Europe/Berlin' },
  { handler: 'work', in: '1h', timeZone: 'Europe/Berlin' },
  { handler: 'work', at: new Date(now + 5) },
  { handler: 'work', at: now + 0.5 },
  { handler: 'work', at: now - 5 },
  { handler: 'work', at: now - 5, refusePast: true },
  { handler: 'work', in: 0, refusePast: true },
  { handler: 'work', in: '1h', refusePast: false },
  { handler: 'work', in: '1h', queue: 'slow', priority: 'high', name: 'A', namespace: 'acme' },
  { handler: 'work', in: '2h', queue: 'slow', priority: 'high', name: 'A', namespace: 'acme', id: 'b' },
  { handler: 'work', in: '1h', queue: 'slow', priority: 'high', name: 'B', namespace: 'acme' },
  { handler: 'work', in: '1h', maxRetries: 3, backoff, keep: '1d' },
  { handler: 'work', at: now, maxRetries: 3, backoff, keep: '1d' },
  { handler: 'work', at: now, maxRetries: 3, backoff: { ...backoff }, keep: '1d' },
  { handler: 'work', in: '1h', onConflict: 'ignore' },
  { handler: 'work', in: '1h', onFailure: 'other' },
  { handler: 'work', in: '1h', onFailure: 'nobody' },
  { handler: 'work', in: '1h', onFailure: 'nobody', allowUnknownHandler: true },
  { handler: 'nobody', in: '1h' },
  { handler: 'nobody', in: '1h', allowUnknownHandler: true },
  { handler: 'nobody', in: '1h', allowUnknownHandler: undefined },
  { handler: 'other', in: '1h' },
  { handler: 'strict', in: '1h', payload: 1 },
  { handler: 'strict', in: '1h', payload: 2 },
  { handler: 'strict', in: '1h' },
  { handler: plain, in: '1h', payload: 2 },
  { handler: plain, in: '1h', payload: 2, queue: 'own' },
  { handler: tagged, in: '1h' },
  { handler: tagged, in: '1h', metadata: { own: true } },
  { handler: 'work', every: '5m', anchor: '2026-01-01' },
  { handler: 'work', cron: '0 9 * * *' },
  { handler: 'work', at: now, every: '5m' },
  { handler: 'work', at: now, in: '1h' },
  { handler: 'work', at: undefined, in: '1h' },
  { handler: 'work', at: null },
  { handler: 'work', in: null },
  { handler: 'work', at: 'soon' },
  { handler: 'work', at: NaN },
  { handler: 'work', in: -1 },
  { handler: 'work', in: '1h', id: '' },
  { handler: 'work', in: '1h', id: null },
  { handler: 'work', in: '1h', id: 'line\nbreak' },
  { handler: 'work', in: '1h', payload: { a: undefined } },
  { handler: 'work', in: '1h', payload: 'x'.repeat(200) },
  { handler: 'work', in: '1h', metadata: [] },
  { handler: 'work', in: '1h', evry: undefined },
  { handler: 'work', in: '1h', evry: '5m' },
  { handler: 'work', in: '1h', queue: undefined },
  { handler: 'work', in: '1h', priority: 11 },
  { handler: 'work', in: '1h', maxRuns: 3 },
  new Item(),
  Object.assign(Object.create({ queue: 'inherited' }) as object, { handler: 'work', in: '1h' }),
  null,
  'text',
  [],
];

async function check(given: readonly unknown[]): Promise<Checked[]> {
  const checker = new BulkChecker(creator, 'raise', now, { jobs: storage });
  return checker.check(given as never, now);
}

/** What matters of it: ids that were made are different each time. */
function facts(checked: Checked): unknown {
  if ('error' in checked) return String(checked.error);
  const { job, onConflict } = checked;
  return { ...job, id: job.newId ? 'new' : job.id, onConflict };
}

test('an item comes to the same, whichever item is before it', async () => {
  const alone = await Promise.all(items.map(async (item) => facts((await check([item]))[0]!)));
  expect(alone.filter((fact) => typeof fact === 'string').length).toBeGreaterThan(20);
  for (const [i, first] of items.entries()) {
    for (const [k, second] of items.entries()) {
      const both = (await check([first, second, first])).map(facts);
      expect(both, `${i} before ${k}`).toEqual([alone[i], alone[k], alone[i]]);
    }
  }
});

test('jobs made after the same pattern share nothing that can be changed', async () => {
  const item = { handler: 'work', in: '1h', maxRetries: 3, backoff: ['1s'], metadata: { tags: ['a'] } };
  const [first, second] = await check([item, item, item]).then(([, ...others]) => others);
  if (!('job' in first!) || !('job' in second!)) throw new Error('They were rejected.');
  const before = structuredClone(second.job);
  (first.job.policies.backoff as number[]).push(5);
  (first.job.metadata.tags as string[]).push('b');
  Object.assign(first.job.trigger, { at: 'never' });
  expect(second.job).toEqual(before);
});
