import { beforeEach, describe, expect, test } from 'vitest';
import type { Capability, ClaimedRun, StorageAdapter } from '../../lib/index.js';
import { addOneOff, claimOne, holdOf, settlementOf, startWorker } from '../../lib/testing/laws/fixture.js';
import { claimSteps, flowOf, openAs, openFlow, statesOf, step } from '../../lib/testing/laws/flow.fixture.js';
import type { Run } from '../../lib/typeorm/statement.runner.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

// Somebody else has locked what the end of a step writes, for as long as a test takes: nothing but that waits for it.

let schema: string;
let storage: StorageAdapter;
let runId: string;
let worker: Capability;
let a: ClaimedRun;
const other = storageForEachTest('flow_locks', (fresh) => ({ schema, storage } = fresh), {
  statementTimeoutMs: 4_000,
});

const places: [what: string, lock: () => string][] = [
  ['the flow', () => `select from "${schema}".flow for update`],
  ['the step', () => `select from "${schema}".flow_step where name = 'a' for update`],
  ['what comes after it', () => `select from "${schema}".flow_step where name = 'b' for update`],
  ['the tables', () => `lock table "${schema}".flow, "${schema}".flow_step, "${schema}".flow_edge`],
];

async function lock(text: string): Promise<void> {
  await other.query('begin');
  await other.query(text);
}

/** A flow whose first step is in the hands of a worker. */
async function open(policies: object = {}): Promise<void> {
  ({ runId, worker } = await openFlow(storage, [step('a', [], { policies }), step('b', ['a'])]));
  a = (await claimSteps(storage, worker)).a!;
}

async function oneOff(id: string): Promise<ClaimedRun> {
  await addOneOff(storage, { id });
  return claimOne(storage, worker);
}

describe('the end of a step', () => {
  beforeEach(() => open());

  test.each(places)('keeps no other settlement waiting when somebody has locked %s', async (_, text) => {
    const plain = await oneOff('plain');
    const settlements = [await settlementOf(storage, a), await settlementOf(storage, plain)];
    // One that takes the long way as well.
    const failed = await settlementOf(storage, await oneOff('failed'), { outcome: 'failed', error: 'no' });
    await lock(text());
    const result = await storage.settle([...settlements, failed]);
    expect(result.accepted.toSorted()).toEqual([plain.id, failed.runId].toSorted());
    expect(result.locked).toEqual([a.id]);
    await other.query('rollback');
    expect(await storage.settle(settlements.slice(0, 1))).toEqual({ accepted: [a.id], locked: [] });
    expect(await statesOf(storage, runId)).toEqual({ a: 'succeeded', b: 'released' });
  });

  test.each(places)('is none of the others: those are claimed and settled beside %s', async (_, text) => {
    await lock(text());
    const { runs } = await storage.claim(worker, 10);
    expect(runs).toEqual([]);
    const plain = await oneOff('plain');
    const settled = await storage.settle([await settlementOf(storage, plain)]);
    expect(settled).toEqual({ accepted: [plain.id], locked: [] });
  });
});

describe('a step whose worker gives it up', () => {
  test.each(places)('keeps no other from being given back when somebody has locked %s', async (_, text) => {
    await open({ recovery: 'abandon' });
    const plain = await oneOff('plain');
    await lock(text());
    const { lost, left } = await storage.giveBack([holdOf(a), holdOf(plain)]);
    expect([lost, left.map((one) => one.runId)]).toEqual([[], [a.id]]);
    await other.query('rollback');
    expect((await storage.giveBack(left)).lost).toMatchObject([{ id: `${runId}/a` }]);
    expect(await statesOf(storage, runId)).toEqual({ a: 'lost', b: 'blocked' });
  });

  test.each(places)('keeps no other from being taken back when somebody has locked %s', async (_, text) => {
    await open({ recovery: 'abandon' });
    const plain = await oneOff('plain');
    const dead = worker;
    await startWorker(storage);
    await storage.unregister(dead.workerId);
    await lock(text());
    const released = await storage.releaseLost();
    expect(released.runs.map((one) => one.runId)).toEqual([plain.id]);
    expect(released.left).toEqual([a.id]);
    await other.query('rollback');
    expect((await storage.releaseLost(released.left)).runs).toMatchObject([{ runId: a.id, verdict: 'lost' }]);
    expect(await statesOf(storage, runId)).toEqual({ a: 'lost', b: 'blocked' });
  });
});

test('a resume that comes between the levels of a pause is the last word on all of them', async () => {
  ({ runId, worker } = await openFlow(storage, [step('sub')]));
  const { sub } = await claimSteps(storage, worker);
  await openAs(storage, sub!, [step('leaf')]);
  const { statements } = storage.flows as unknown as { statements: { run: Run } };
  const { run } = statements;
  statements.run = async (name, ...values) => {
    const rows = await run<never>(name, ...values);
    if (name !== 'flowsWithin') return rows;
    statements.run = run;
    await storage.flows!.resumeFlow(runId);
    return rows;
  };
  expect(await storage.flows!.pauseFlow(runId)).toBe(true);
  for (const id of [runId, sub!.id]) expect((await flowOf(storage, id)).pausedAt).toBeNull();
});
