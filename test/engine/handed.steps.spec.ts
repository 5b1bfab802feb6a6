import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Settlement, SettleResult } from '../../lib/index.js';
import type { StepContext } from '../../lib/engine/step.context.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { Hands } from '../../lib/ports/storage.adapter.js';
import { openFlow, step } from '../../lib/testing/laws/flow.fixture.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig } from '../support/engine.js';

/** Counts claims, and notes what each settlement hands over. */
class Watched extends MemoryStorage {
  claims = 0;
  readonly handed: (string | undefined)[][] = [];
  /** Called with the answer of a settlement with hands, and before runs are given back. */
  onHanded: () => Promise<void> = async () => undefined;
  onGivingBack: () => Promise<void> = async () => undefined;
  /** Thrown by the next settlement with hands, after it was carried out. */
  failure: Error | null = null;

  override claim(...given: Parameters<MemoryStorage['claim']>): ReturnType<MemoryStorage['claim']> {
    this.claims++;
    return super.claim(...given);
  }

  override async settle(settlements: readonly Settlement[], hands?: Hands): Promise<SettleResult> {
    const result = await super.settle(settlements, hands);
    if (hands === undefined) return result;
    this.handed.push((result.taken ?? []).map(({ flowStep }) => flowStep?.name));
    await this.onHanded();
    const { failure } = this;
    this.failure = null;
    if (failure) throw failure;
    return result;
  }

  override async giveBack(
    ...given: Parameters<MemoryStorage['giveBack']>
  ): ReturnType<MemoryStorage['giveBack']> {
    await this.onGivingBack();
    return super.giveBack(...given);
  }
}

let clock: ManualClock;
let storage: Watched;
let rig: EngineRig;
let ran: string[];

const chain = (length: number) =>
  Array.from({ length }, (_, nth) => step(`s${nth}`, nth === 0 ? [] : [`s${nth - 1}`]));

const nameOf = (context: unknown): string => (context as StepContext).workflow.step;

function begin(concurrency = 10): void {
  rig = new EngineRig({ clock, storage, options: { concurrency } });
}

beforeEach(() => {
  clock = new ManualClock();
  storage = new Watched({ clock });
  ran = [];
  begin();
});

afterEach(() => rig.end());

describe('steps that are born by the end of others', () => {
  test('begin here at once, without a claim of their own', async () => {
    await openFlow(storage, chain(20));
    rig.handle('work', (context) => void ran.push(nameOf(context)));
    await rig.engine.start();
    await rig.settle();
    expect(ran).toEqual(chain(20).map(({ name }) => name));
    // Every other one: this storage tells of what it has handed over, and the loop looks for that first.
    expect(storage.handed.flat().length).toBeGreaterThan(8);
    expect(storage.claims).toBeLessThan(15);
  });

  test('are no part of the async context of what has ended', async () => {
    const scope = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    await openFlow(storage, chain(3));
    rig.handle('work', async (context) => {
      seen.push(scope.getStore());
      scope.enterWith(nameOf(context));
      await Promise.resolve();
    });
    await rig.engine.start();
    await rig.settle();
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  test('begin without asking for the time, also when the storage was last heard of long ago', async () => {
    const exactNow = vi.spyOn(storage, 'exactNow');
    await openFlow(storage, chain(2));
    let end = (): void => undefined;
    const isOver = new Promise<void>((resolve) => (end = resolve));
    rig.handle('work', async (context) => {
      ran.push(nameOf(context));
      if (ran.length === 1) await isOver;
    });
    await rig.engine.start();
    await rig.settle();
    await clock.advanceBy(3_000);
    vi.spyOn(storage, 'claim').mockResolvedValue({ now: null, runs: [] });
    end();
    await rig.settle();
    expect(ran).toEqual(['s0', 's1']);
    expect(storage.handed).toEqual([['s1'], []]);
    expect(exactNow).not.toHaveBeenCalled();
  });

  test('come after what has been due before, where there is room for one', async () => {
    begin(1);
    await openFlow(storage, chain(3));
    rig.handle('work', (context) => void ran.push(nameOf(context)));
    rig.handle('first', () => void ran.push('first'));
    await rig.add({ id: 'first', handler: 'first', priority: 0 });
    await rig.engine.start();
    await rig.settle();
    expect(ran.indexOf('first')).toBeLessThan(2);
    expect(ran).toHaveLength(4);
  });

  test('begin although the answer that hands them over is lost', async () => {
    await openFlow(storage, chain(3));
    rig.handle('work', (context) => void ran.push(nameOf(context)));
    storage.failure = new Error('The connection has ended.');
    await rig.engine.start();
    await rig.settle();
    for (let waited = 0; waited < 60 && ran.length < 3; waited++) await clock.advanceBy(1_000);
    expect(ran).toEqual(['s0', 's1', 's2']);
  });

  test('do not begin once a pause is told', async () => {
    await openFlow(storage, chain(2));
    rig.handle('work', async (context) => {
      ran.push(nameOf(context));
      await storage.pauseScope({ kind: 'all', name: '' }, { reason: null, by: null });
    });
    await rig.engine.start();
    await rig.settle();
    expect(ran).toEqual(['s0']);
    expect(storage.handed.flat()).toEqual([]);
  });

  test('that the end of the worker comes before go back before it goes', async () => {
    await openFlow(storage, chain(2));
    rig.handle('work', (context) => void ran.push(nameOf(context)));
    let letBack = (): void => undefined;
    const back = new Promise<void>((resolve) => (letBack = resolve));
    const stopping: Promise<void>[] = [];
    let isStopped = false;
    storage.onHanded = async () => {
      stopping.push(rig.engine.stop().then(() => void (isStopped = true)));
    };
    storage.onGivingBack = () => back;
    await rig.engine.start();
    await rig.settle();
    expect(storage.handed).toEqual([['s1']]);
    expect(isStopped).toBe(false);
    letBack();
    await rig.settle();
    await Promise.all(stopping);
    expect(ran).toEqual(['s0']);
    const { items } = await storage.queryRuns({ state: 'waiting' }, {});
    expect(items.map(({ attempt, lostCount }) => [attempt, lostCount])).toEqual([[0, 0]]);
  });
});
