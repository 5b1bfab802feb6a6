import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, expect, test, vi } from 'vitest';
import { ChronisTesting } from '../../lib/testing/index.js';
import { CallScope } from '../../lib/ports/call.scope.js';

afterEach(() => vi.restoreAllMocks());

test('a value holds for the work within, behind its promises, and for its own scope alone', async () => {
  const [one, other] = [new CallScope<string | null>(), new CallScope<string | null>()];
  expect(one.get()).toBeUndefined();
  await one.run('a', async () => {
    await Promise.resolve();
    expect([one.get(), other.get()]).toEqual(['a', undefined]);
    await other.run('b', async () => {
      await Promise.resolve();
      expect([one.get(), other.get()]).toEqual(['a', 'b']);
      one.run(null, () => expect([one.get(), other.get()]).toEqual([null, 'b']));
      expect(one.get()).toBe('a');
    });
    expect(other.get()).toBeUndefined();
  });
  expect(one.get()).toBeUndefined();
});

test('applications that come and go leave nothing that each promise would look at', async () => {
  const used = new Set<unknown>();
  const run = Reflect.get(AsyncLocalStorage.prototype, 'run') as (...given: unknown[]) => unknown;
  vi.spyOn(AsyncLocalStorage.prototype, 'run').mockImplementation(function (
    this: AsyncLocalStorage<unknown>,
    ...given: unknown[]
  ) {
    used.add(this);
    return Reflect.apply(run, this, given);
  } as never);
  const counts: number[] = [];
  for (let nth = 0; nth < 3; nth++) {
    const chronis = await ChronisTesting.create();
    const { scheduler } = chronis;
    scheduler.registerHandler('a', () => undefined);
    await scheduler.withActor({ by: 'me' }, () => scheduler.createDateJob({ handler: 'a', in: 0 }));
    await scheduler.withTransaction(null as never, () => scheduler.getRuns()).catch(() => undefined);
    await chronis.runDue();
    await chronis.close();
    counts.push(used.size);
  }
  expect(counts[2]).toBe(counts[0]);
});
