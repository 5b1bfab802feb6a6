import { beforeEach, describe, expect, test } from 'vitest';
import { engineDefaults } from '../../lib/engine/engine.options.js';
import { Settler } from '../../lib/engine/settler.js';
import { StorageCalls } from '../../lib/engine/storage.calls.js';
import { WaitingResult, type SettleVerdict } from '../../lib/engine/waiting.result.js';
import { InvalidPayloadError, StorageError } from '../../lib/model/errors.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { Settlement, SettleResult } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { EngineRig, everyMs } from '../support/engine.js';

class TestResult extends WaitingResult {
  constructor(
    settlement: Settlement,
    readonly done: (verdict: SettleVerdict) => void,
  ) {
    super(settlement);
  }

  noted(): Settlement {
    return this.settlement;
  }

  onLeftOut(): void {}

  onNoted(): void {}
}

/** Stands between the engine and what it writes. */
class Gate extends MemoryStorage {
  readonly batches: Settlement[][] = [];
  /** Throws for what cannot be written; returns the ids that are locked. */
  check: (settlements: readonly Settlement[]) => Iterable<string> | Promise<Iterable<string>> = () => [];

  /** What it refuses for itself. */
  refuses: (settlement: Settlement) => boolean = () => false;

  override async settle(settlements: readonly Settlement[]): Promise<SettleResult> {
    this.batches.push([...settlements]);
    const locked = [...(await this.check(settlements))];
    const bad = settlements.filter((settlement) => this.refuses(settlement));
    const free = settlements.filter((each) => !locked.includes(each.runId) && !bad.includes(each));
    const refused = bad.map(({ runId }) => ({ runId, error: new StorageError('A trigger said no.') }));
    return { accepted: (await super.settle(free)).accepted, locked, ...(bad.length > 0 && { refused }) };
  }
}

describe('the results of an engine', () => {
  let clock: ManualClock;
  let gate: Gate;
  let rig: EngineRig;

  beforeEach(() => {
    clock = new ManualClock();
    gate = new Gate({ clock });
    rig = new EngineRig({ clock, storage: gate, options: { concurrency: 40, pollMs: 1_000 } });
  });

  const ledger = async (jobId?: string) =>
    (await rig.storage.queryAttempts({ jobId }, { limit: 1_000 })).items;
  const jobs = (count: number, name = 'job'): { id: string }[] =>
    Array.from({ length: count }, (_, i) => ({ id: `${name}-${i}` }));

  test('that need no table that somebody has locked are written while the others wait for it', async () => {
    let isLocked = true;
    const hanging: (() => void)[] = [];
    gate.check = async (settlements) => {
      const needsMore = settlements.some(({ oneOff, outcome }) => !oneOff || outcome !== 'succeeded');
      if (isLocked && needsMore) await new Promise<void>((resolve) => hanging.push(resolve));
      return [];
    };
    rig
      .handle('work', () => undefined)
      .handle('fail', () => {
        throw new Error('no');
      });
    await rig.engine.start();
    await rig.add(everyMs(clock.now(), 1_000, { id: 'recurring' }));
    await clock.advanceBy(1_500);
    for (let second = 0; second < 20; second++) {
      await rig.add({ id: `one-off-${second}` });
      if (second % 5 === 0) await rig.add({ id: `failing-${second}`, handler: 'fail' });
      await clock.advanceBy(1_000);
      if (second > 0) expect(await ledger(`one-off-${second}`)).toHaveLength(1);
    }
    expect(await ledger('recurring')).toEqual([]);
    isLocked = false;
    for (const answer of hanging.splice(0)) answer();
    await clock.advanceBy(100);
    expect((await ledger('recurring')).length).toBeGreaterThan(0);
    expect(await ledger('failing-0')).toHaveLength(1);
    await rig.stop();
  });

  test('that cannot be stored get a note, are told once, and keep no others waiting', async () => {
    const events: string[] = [];
    rig.events.on('run.unstorable', ({ jobId, error }) =>
      events.push(`${jobId}: ${(error as Error).message}`),
    );
    gate.check = (settlements) => {
      const isBad = ({ result, error, callback }: Settlement): boolean =>
        JSON.stringify([result, error, callback?.payload ?? null]).includes('한');
      if (settlements.some(isBad)) throw new InvalidPayloadError('A value', 'no 한 in LATIN1');
      return [];
    };
    rig.handle('work', ({ job }) => (job.id === 'job-7' ? { text: '한' } : { text: 'ok' }));
    rig.handle('fail', () => {
      throw new Error('한');
    });
    await rig.engine.start();
    await rig.add(...jobs(20), {
      id: 'failing',
      handler: 'fail',
      policies: { onFailure: { handler: 'work' } },
    });
    await rig.settle();
    expect(events.toSorted()).toEqual([
      'failing: A value: no 한 in LATIN1',
      'job-7: A value: no 한 in LATIN1',
    ]);
    const rows = await ledger();
    expect(rows.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(21);
    const note = 'What the handler returned or threw could not be stored: A value: no ? in LATIN1';
    const of = (id: string) => rows.find(({ jobId }) => jobId === id);
    expect(of('job-7')).toMatchObject({ outcome: 'succeeded', result: null, error: note });
    expect(of('failing')).toMatchObject({ outcome: 'failed', result: null, error: note });
    expect(of('job-6')).toMatchObject({ result: { text: 'ok' }, error: null });
    expect(rig.told).not.toContain('run.stale');
    expect(rig.told).not.toContain('storage.failing');
    await rig.stop();
  });

  test('are written in smaller batches when one did not get through', async () => {
    gate.check = (settlements) => {
      if (settlements.length > 3) throw new StorageError('Query read timeout');
      return [];
    };
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add(...jobs(40));
    await clock.advanceBy(10_000);
    expect(await ledger()).toHaveLength(40);
    await rig.stop();
  });

  test('are bounded in what one call carries', async () => {
    rig = new EngineRig({ clock, storage: gate, options: { concurrency: 200 } });
    rig.handle('work', () => 'x'.repeat(60_000));
    await rig.engine.start();
    await rig.add(...jobs(150));
    await rig.settle();
    expect(await ledger()).toHaveLength(150);
    const sizes = gate.batches.map((batch) => JSON.stringify(batch).length);
    expect(Math.max(...sizes)).toBeLessThan(4_200_000);
    await rig.stop();
  });

  test('that fail for themselves alone keep no others waiting', async () => {
    gate.check = (settlements) => {
      if (settlements.some(({ result }) => result === 'bad')) throw new StorageError('A trigger said no.');
      return [];
    };
    rig.handle('work', ({ job }) => (job.id === 'job-3' ? 'bad' : null));
    await rig.engine.start();
    await rig.add(...jobs(20));
    await clock.advanceBy(5_000);
    expect(await ledger()).toHaveLength(19);
    await rig.add(...jobs(5, 'later'));
    await rig.settle();
    expect(await ledger()).toHaveLength(24);
    gate.check = () => [];
    await clock.advanceBy(10_000);
    expect(await ledger('job-3')).toMatchObject([{ outcome: 'succeeded', result: 'bad' }]);
    await rig.stop();
  });

  test('whose run is locked are tried again apart, and the others written at once', async () => {
    let isLocked = true;
    const idOf = async (id: string) =>
      (await rig.storage.queryRuns({}, { limit: 100 })).items.find(({ jobId }) => jobId === id)!.id;
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add(...jobs(10));
    const locked = await idOf('job-4');
    gate.check = () => (isLocked ? [locked] : []);
    await rig.settle();
    expect(await ledger()).toHaveLength(9);
    await clock.advanceBy(5_000);
    const tries = gate.batches.length;
    expect(tries).toBeLessThan(20);
    isLocked = false;
    await clock.advanceBy(1_100);
    expect(await ledger('job-4')).toMatchObject([{ outcome: 'succeeded' }]);
    expect(rig.told).not.toContain('run.stale');
    expect(rig.told).not.toContain('storage.failing');
    await rig.stop();
  });

  test('that cannot be written take the place of runs', async () => {
    let executed = 0;
    rig = new EngineRig({ clock, storage: gate, options: { concurrency: 10, pollMs: 1_000 } });
    rig.handle('work', () => executed++);
    gate.check = () => {
      throw new StorageError('Query read timeout');
    };
    await rig.engine.start();
    await rig.add(...jobs(100));
    await clock.advanceBy(20_000);
    expect(executed).toBeLessThanOrEqual(20);
    gate.check = () => [];
    await clock.advanceBy(20_000);
    expect(executed).toBe(100);
    expect(await ledger()).toHaveLength(100);
    await rig.stop();
  });

  test('of which some are locked leave room for others', async () => {
    rig = new EngineRig({ clock, storage: gate, options: { concurrency: 5, pollMs: 1_000 } });
    rig.handle('work', ({ job }) => job.id);
    gate.check = (settlements) =>
      settlements.filter(({ result }) => (result as string).startsWith('held')).map(({ runId }) => runId);
    await rig.engine.start();
    await rig.add(...jobs(10, 'held'));
    await rig.settle();
    await rig.add(...jobs(20));
    await clock.advanceBy(5_000);
    expect(await ledger()).toHaveLength(20);
    gate.check = () => [];
    await clock.advanceBy(2_000);
    expect(await ledger()).toHaveLength(30);
    await rig.stop();
  });

  test('that are refused for themselves leave all room to others, and keep only their handler from more runs', async () => {
    let executed = 0;
    const failing = new Set<string>();
    rig = new EngineRig({ clock, storage: gate, options: { concurrency: 5, pollMs: 1_000 } });
    rig.events.on('storage.failing', ({ operation }) => failing.add(operation));
    rig.events.on('storage.recovered', ({ operation }) => failing.delete(operation));
    rig.handle('bad', () => (executed++, 'bad'));
    rig.handle('work', () => null);
    gate.refuses = ({ result }) => result === 'bad';
    await rig.engine.start();
    await rig.add(...jobs(30, 'bad').map((job) => ({ ...job, handler: 'bad' })));
    await rig.settle();
    for (let second = 0; second < 20; second++) {
      await rig.add(...jobs(10, `second-${second}`));
      await clock.advanceBy(1_000);
      expect(await ledger()).toHaveLength(10 * (second + 1));
    }
    expect(executed).toBeLessThanOrEqual(2 * 5);
    expect(gate.batches.length).toBeLessThan(20 * (2 + 5));
    expect(failing.size).toBe(executed);
    for (const operation of failing) expect(operation).toMatch(/^settle run \d+$/);
    gate.refuses = () => false;
    await clock.advanceBy(6_000);
    await clock.advanceBy(1_000);
    expect(executed).toBe(30);
    expect(await ledger()).toHaveLength(230);
    expect(failing).toEqual(new Set());
    await rig.stop();
  });

  test('whose answer was lost are told, as the ledger has them', async () => {
    const paused: string[] = [];
    rig.events.on('job.paused', ({ id }) => paused.push(id));
    let answers = 0;
    const settle = gate.settle.bind(gate);
    gate.settle = async (settlements) => {
      const result = await settle(settlements);
      if (++answers === 1) throw new StorageError('The answer was lost.');
      return result;
    };
    rig.handle('work', () => undefined).handle('fail', () => Promise.reject(new Error('boom')));
    await rig.engine.start();
    const start = clock.now();
    await rig.add(
      { id: 'once' },
      {
        id: 'fails',
        handler: 'fail',
        trigger: { type: 'interval', every: 60_000, anchor: new Date(start).toISOString() },
        nextAt: start,
        policies: { pauseAfterFailures: 1 },
      },
    );
    await clock.advanceBy(1_000);
    expect(rig.told).toContain('run.succeeded');
    expect(rig.told).toContain('run.failed');
    expect(rig.told).not.toContain('run.stale');
    expect(paused).toEqual(['fails']);
    await rig.stop();
  });

  test('of two claims of one run are answered each for itself', async () => {
    rig.handle('work', () => undefined);
    const calls = new StorageCalls(clock, rig.events, () => 0.5);
    const settler = new Settler(gate, calls);
    const verdicts: string[] = [];
    gate.settle = async (settlements) => ({
      accepted: settlements.filter(({ fence }) => fence === 2).map(({ runId }) => runId),
      locked: [],
    });
    for (const [fence, worker] of [
      [1, 'lost its lease'],
      [2, 'has it now'],
    ] as const) {
      const settlement: Settlement = {
        ...{ runId: '1', fence, worker, outcome: 'succeeded', startedAt: 0, finishedAt: 0 },
        ...{ retryAt: null, error: null, result: null, callback: null, oneOff: true },
      };
      settler.settle(new TestResult(settlement, (verdict) => verdicts.push(`${worker}: ${verdict}`)));
    }
    await settler.flush();
    expect(verdicts).toEqual(['lost its lease: refused', 'has it now: accepted']);
  });

  test('whose answer was lost are looked up until the ledger answers', async () => {
    const settle = gate.settle.bind(gate);
    let answers = 0;
    gate.settle = async (settlements) => {
      const result = await settle(settlements);
      if (++answers === 1) throw new StorageError('The answer was lost.');
      return result;
    };
    const query = gate.queryAttempts.bind(gate);
    let looks = 0;
    gate.queryAttempts = (...args) =>
      ++looks <= 3 ? Promise.reject(new StorageError('Query read timeout')) : query(...args);
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add({});
    await clock.advanceBy(5_000);
    expect(rig.told).toContain('run.succeeded');
    await rig.stop();
  });

  test('of which one fails for itself go on in large batches, and it gets a note in the end', async () => {
    gate.check = (settlements) => {
      if (settlements.some(({ result }) => result === 'bad')) throw new StorageError('A trigger said no.');
      return [];
    };
    const recovered: string[] = [];
    rig.events.on('storage.recovered', ({ operation }) => recovered.push(operation));
    rig.handle('work', ({ job }) => (job.id === 'bad' ? 'bad' : null));
    await rig.engine.start();
    await rig.add({ id: 'bad' }, ...jobs(10));
    await clock.advanceBy(3_000);
    for (let round = 0; round < 5; round++) {
      await rig.add(...jobs(1, `round-${round}`));
      await clock.advanceBy(1_000);
    }
    await clock.advanceBy(5_000);
    gate.batches.splice(0);
    recovered.splice(0);
    await rig.add(...jobs(40, 'later'));
    await rig.settle();
    expect(gate.batches.map(({ length }) => length)).toContain(40);
    await clock.advanceBy(20_000);
    expect(recovered).toEqual([]);
    await clock.advanceBy(300_000);
    expect(rig.told).toContain('run.unstorable');
    expect(await ledger('bad')).toMatchObject([{ outcome: 'succeeded', result: null }]);
    await rig.stop();
  });

  test('whose note fails too are not told to have one', async () => {
    let takesNote = false;
    gate.check = (settlements) => {
      if (settlements.some(({ result }) => result === 'bad')) throw new InvalidPayloadError('A value', 'no');
      if (!takesNote) throw new StorageError('There is no room.');
      return [];
    };
    rig.handle('work', () => 'bad');
    await rig.engine.start();
    await rig.add({});
    await clock.advanceBy(60_000);
    expect(rig.told).toContain('storage.failing');
    expect(rig.told).not.toContain('run.unstorable');
    takesNote = true;
    await clock.advanceBy(60_000);
    expect(rig.told.filter((type) => type === 'run.unstorable')).toHaveLength(1);
    expect(await ledger()).toMatchObject([{ outcome: 'succeeded', result: null }]);
    await rig.stop();
  });

  test('that are locked at a stop are tried until the shutdown is over', async () => {
    let isLocked = true;
    gate.check = (settlements) => (isLocked ? settlements.map(({ runId }) => runId) : []);
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
    const stopping = rig.engine.stop();
    await clock.advanceBy(engineDefaults.shutdownTimeoutMs - 3_000);
    expect(rig.told).not.toContain('worker.stopped');
    isLocked = false;
    await clock.advanceBy(2_000);
    await stopping;
    expect(await ledger()).toMatchObject([{ outcome: 'succeeded' }]);
    expect(rig.told).not.toContain('run.unsettled');
  });

  test('that nobody answers are written when the database is back for the last moment of a stop', async () => {
    let isAway = true;
    gate.check = () => {
      if (isAway) throw new StorageError('No route to host');
      return [];
    };
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
    const stopping = rig.engine.stop();
    await clock.advanceBy(engineDefaults.shutdownTimeoutMs - 450);
    isAway = false;
    await clock.advanceBy(450);
    await stopping;
    expect(await ledger()).toMatchObject([{ outcome: 'succeeded' }]);
    expect(rig.told).not.toContain('run.unsettled');
  });

  test('of handlers that do not heed the stop are written before its time is over', async () => {
    rig.handle('work', () => new Promise(() => undefined));
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
    const stopping = rig.engine.stop();
    await clock.advanceBy(engineDefaults.shutdownTimeoutMs - 1_000);
    await stopping;
    expect(await ledger()).toMatchObject([{ outcome: 'handed_back' }]);
  });

  test('of handlers that do not heed the stop are written, also by a call that takes two seconds', async () => {
    const settle = gate.settle.bind(gate);
    gate.settle = async (settlements) => {
      await new Promise<void>((resolve) => clock.setTimer(2_000, resolve));
      return settle(settlements);
    };
    rig.handle('work', () => new Promise(() => undefined));
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
    const stopping = rig.engine.stop();
    await clock.advanceBy(engineDefaults.shutdownTimeoutMs + 2_000);
    await stopping;
    expect(rig.told).not.toContain('run.unsettled');
    expect(await ledger()).toMatchObject([{ outcome: 'handed_back' }]);
  });

  test.each([
    ['answers that they are locked', false],
    ['fails without an answer', true],
    ['does not answer any more', true],
  ])(
    'at the end of a stop beside a storage that %s are told as what is known of them',
    async (how, isUnclear) => {
      const told: unknown[] = [];
      rig.events.on('run.unsettled', ({ jobId, ...event }) => told.push([jobId, event]));
      const settle = gate.settle.bind(gate);
      gate.check = (settlements) => settlements.map(({ runId }) => runId);
      if (isUnclear) gate.settle = () => Promise.reject(new StorageError('Connection reset'));
      if (how.startsWith('does not')) gate.settle = () => new Promise(() => undefined);
      rig.handle('work', ({ job }) => (job.id === 'deaf' ? new Promise(() => undefined) : null));
      await rig.engine.start();
      await rig.add({ id: 'deaf' }, { id: 'done' }, { id: 'once', policies: { recovery: 'abandon' } });
      await rig.settle();
      const stopping = rig.engine.stop();
      await clock.advanceBy(engineDefaults.shutdownTimeoutMs + 2_000);
      await stopping;
      const by = { isUnclear };
      // What never came to a call is not known to a storage that does not answer either.
      const isSent = !how.startsWith('does not');
      expect(told.toSorted((a: any, b: any) => a[0].localeCompare(b[0]))).toMatchObject([
        ['deaf', { outcome: 'handed_back', isUnclear: isUnclear && isSent, executedAgain: true }],
        ['done', { ...by, outcome: 'succeeded', executedAgain: true }],
        ['once', { ...by, outcome: 'succeeded', executedAgain: false }],
      ]);
      gate.settle = settle;
    },
  );

  test('that are locked longer than the shutdown may take are told to be lost', async () => {
    gate.check = (settlements) => settlements.map(({ runId }) => runId);
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add({});
    await rig.settle();
    const stopping = rig.engine.stop();
    await clock.advanceBy(engineDefaults.shutdownTimeoutMs + 1_000);
    await stopping;
    expect(rig.told).toContain('run.unsettled');
    const { runs } = await gate.releaseLost();
    expect(runs).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

describe('the claims of an engine', () => {
  test('that do not come back in time are smaller the next time', async () => {
    const clock = new ManualClock();
    const sizes: number[] = [];
    const storage = new MemoryStorage({ clock });
    const claim = storage.claim.bind(storage);
    storage.claim = async (capability, limit, aheadMs) => {
      sizes.push(limit);
      if (limit > 10) {
        await new Promise<void>((resolve) => clock.setTimer(10_000, resolve));
        throw new StorageError('Query read timeout');
      }
      return claim(capability, limit, aheadMs);
    };
    const rig = new EngineRig({ clock, storage, options: { concurrency: 40 } });
    rig.handle('work', () => undefined);
    await rig.engine.start();
    await rig.add(...Array.from({ length: 40 }, () => ({})));
    await clock.advanceBy(120_000);
    expect((await storage.queryAttempts({}, { limit: 100 })).items).toHaveLength(40);
    expect(sizes.slice(0, 3)).toEqual([40, 20, 10]);
    await rig.stop(60_000);
  });
});

describe('the firings of an engine', () => {
  test.each([
    ['that cannot be stored', () => new InvalidPayloadError('A value', 'out of range')],
    ['that fail for themselves alone', () => new StorageError('A trigger said no.')],
  ])('%s keep no others waiting', async (_, refusal) => {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    const fire = storage.fire.bind(storage);
    const bad = new Set<string>();
    storage.fire = async (capability, firings, room, aheadMs) => {
      if (firings.some(({ jobUid }) => bad.has(jobUid))) throw refusal();
      return fire(capability, firings, room, aheadMs);
    };
    const rig = new EngineRig({ clock, storage });
    const failing: string[] = [];
    rig.events.on('storage.failing', ({ operation }) => failing.push(operation));
    rig.handle('work', () => undefined);
    await rig.engine.start();
    const start = clock.now();
    const every = { type: 'interval', every: 10_000, anchor: new Date(start).toISOString() } as const;
    await rig.add(
      ...Array.from({ length: 12 }, (_unused, i) => ({
        id: `job-${i}`,
        trigger: every,
        nextAt: start + 10_000,
      })),
    );
    const { cursors } = await storage.dueCursors(
      { workerId: rig.engine.workerId!, app: 'test', queues: ['default'], handlers: ['work'] },
      100,
      60_000,
    );
    bad.add(cursors.find(({ jobId }) => jobId === 'job-5')!.jobUid);
    await clock.advanceBy(35_000);
    const ran = (await storage.queryAttempts({}, { limit: 100 })).items.map(({ jobId }) => jobId);
    expect(ran.filter((id) => id !== 'job-5')).toHaveLength(33);
    expect(failing).toContain('fire default/job-5');
    bad.clear();
    await clock.advanceBy(60_000);
    const after = (await storage.queryAttempts({ jobId: 'job-5' }, { limit: 100 })).items;
    expect(after.length).toBeGreaterThan(0);
    await rig.stop(60_000);
  });
});
