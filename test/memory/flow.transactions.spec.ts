import { expect, test } from 'vitest';
import { MemoryStorage, type ClaimedRun, type Settlement } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { settle, settlementOf } from '../../lib/testing/laws/fixture.js';
import {
  claimSteps,
  flowOf,
  openAs,
  openFlow,
  runAll,
  statesOf,
  step,
} from '../../lib/testing/laws/flow.fixture.js';

/** Hands the end of each transaction to the test. */
class Transactions {
  ending: 'commits' | 'rolls back' = 'commits';
  beforeTheEnd = async (): Promise<void> => undefined;

  async transaction<T>(work: (manager: unknown) => Promise<T>): Promise<T> {
    const value = await work({});
    await this.beforeTheEnd();
    if (this.ending === 'rolls back') throw new Error('rolled back');
    return value;
  }
}

async function opened(steps = [step('a'), step('b', ['a'])]) {
  const transactions = new Transactions();
  const storage = new MemoryStorage({ clock: new ManualClock(), dataSource: transactions });
  const { runId, worker } = await openFlow(storage, steps);
  const conclude = async (run: ClaimedRun, fields: Partial<Settlement> = {}): Promise<string> => {
    const settlement = await settlementOf(storage, run, fields);
    return storage.transaction(
      () => 'done',
      () => settlement,
      {},
    );
  };
  return { storage, transactions, runId, worker, conclude };
}

test('a transaction in a step releases what comes after it by its commit, not before', async () => {
  const { storage, transactions, runId, worker, conclude } = await opened();
  const { a } = await claimSteps(storage, worker);
  transactions.beforeTheEnd = async () => {
    expect(await statesOf(storage, runId)).toEqual({ a: 'released', b: 'waiting' });
    expect(await claimSteps(storage, worker)).toEqual({});
  };
  await conclude(a);
  expect(await statesOf(storage, runId)).toEqual({ a: 'succeeded', b: 'released' });
  expect(await runAll(storage, worker)).toEqual(['b']);
});

test('a transaction in a step that is rolled back releases nothing, ends nothing, adds nothing', async () => {
  const { storage, transactions, runId, worker, conclude } = await opened();
  const { a } = await claimSteps(storage, worker);
  transactions.ending = 'rolls back';
  await expect(conclude(a, { flowStep: { added: [step('x')] } })).rejects.toThrow('rolled back');
  expect(await statesOf(storage, runId)).toEqual({ a: 'released', b: 'waiting' });
  await settle(storage, a);
  expect(await runAll(storage, worker)).toEqual(['b']);
});

test('the last step of all ends the flow by the commit of its transaction, and the flow around it', async () => {
  const { storage, transactions, runId, worker, conclude } = await opened([step('sub')]);
  const { sub } = await claimSteps(storage, worker);
  await openAs(storage, sub!, [step('last')]);
  const { last } = await claimSteps(storage, worker);
  transactions.beforeTheEnd = async () => {
    expect((await flowOf(storage, runId)).verdict).toBe(null);
  };
  await conclude(last, { result: 7 });
  expect((await flowOf(storage, sub!.id)).verdict).toBe('succeeded');
  expect((await flowOf(storage, runId)).verdict).toBe('succeeded');
});

test('a flow that others have moved on meanwhile keeps what they did', async () => {
  const { storage, transactions, runId, worker, conclude } = await opened([
    step('a'),
    step('b'),
    step('c', ['a', 'b']),
  ]);
  const { a, b } = await claimSteps(storage, worker);
  transactions.beforeTheEnd = async () => {
    await settle(storage, b!);
    expect(await statesOf(storage, runId)).toEqual({ a: 'released', b: 'succeeded', c: 'waiting' });
  };
  await conclude(a!);
  expect(await statesOf(storage, runId)).toEqual({ a: 'succeeded', b: 'succeeded', c: 'released' });
  expect(await runAll(storage, worker)).toEqual(['c']);
});
