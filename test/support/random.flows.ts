import assert from 'node:assert/strict';
import {
  InvalidWorkflowError,
  type Capability,
  type ClaimedRun,
  type FlowStep,
  type JsonValue,
  type NewFlowStep,
  type Settlement,
  type StepEnd,
  type StorageAdapter,
} from '../../lib/index.js';
import type { StorageSubject } from '../../lib/testing/index.js';
import { day, minute, settlementOf, startWorker } from '../../lib/testing/laws/fixture.js';
import { endOpen, flowOf, keyOf, openFlow, stepsOf, verdictOf } from '../../lib/testing/laws/flow.fixture.js';
import { SeededRandom } from '../simulation/seeded.random.js';
import { FlowModel, type ModelEnd } from './flow.model.js';
import { below, randomStep, randomSteps } from './random.steps.js';

export interface RandomFlowOptions {
  /** The most steps that a graph begins with. @default 60 */
  steps?: number;
}

/** What a round has come to, so that a test can see that all of it occurs. */
export type Seen = Map<string, number>;

/**
 * Runs a graph of random steps to its end, with several workers that die, give back, fail, skip, add and retry at random, through two adapters; and compares it with a model of it after each call. The
 * same seed does the same; it stands in the message of what goes wrong.
 */
export async function runRandomFlow(
  subject: StorageSubject,
  seed: number,
  { steps = 60 }: RandomFlowOptions = {},
  seen: Seen = new Map(),
): Promise<void> {
  const random = new SeededRandom(seed);
  try {
    await new RandomFlow(subject, random, await subject.open(), seen).run(randomSteps(random, steps));
  } catch (error) {
    throw Object.assign(new Error(`Seed ${seed}: ${(error as Error).message}`), { cause: error });
  }
}

class RandomFlow {
  private runId = '';
  private model = new FlowModel([]);
  private workers: Capability[] = [];
  /** Claimed runs that have not ended, with the keys of their steps. */
  private readonly held = new Map<string, ClaimedRun>();
  /** The run of each step, for as long as it is the same. */
  private readonly runs = new Map<string, string>();
  private readonly unwanted = new Set<string>();
  private readonly stale: Settlement[] = [];
  /** What had at the last retry. */
  private wellEnded: ReadonlySet<string> = new Set();
  private added = 0;

  constructor(
    private readonly subject: StorageSubject,
    private readonly random: SeededRandom,
    private readonly other: StorageAdapter,
    private readonly seen: Seen,
  ) {}

  async run(steps: readonly NewFlowStep[]): Promise<void> {
    const { runId, worker } = await openFlow(this.subject.storage, steps, { params: 'of the flow' });
    this.runId = runId;
    this.workers = [worker, await this.newWorker(), await this.newWorker()];
    this.model = new FlowModel(steps);
    await this.compare();
    await this.toTheEnd();
    for (let retries = 0; retries < 3 && this.model.verdict === 'failed'; retries++) {
      const again = await this.storage.flows!.retryFlow(this.runId, null);
      this.note('retried');
      this.runId = again!.id;
      this.wellEnded = this.model.wellEnded();
      this.model.retry();
      this.runs.clear();
      await this.compare();
      await this.toTheEnd();
    }
    await this.checkEnd();
  }

  /** Either adapter. */
  private get storage(): StorageAdapter {
    return this.random.chance(0.5) ? this.subject.storage : this.other;
  }

  private async toTheEnd(): Promise<void> {
    for (let turns = 0; this.model.verdict === null; turns++) {
      assert.ok(turns < 10_000, 'The flow should come to its end.');
      await this.turn();
      await this.compare();
    }
  }

  private async turn(): Promise<void> {
    const { random } = this;
    if (random.chance(0.45)) return this.claim();
    if (random.chance(0.8)) return this.settleSome();
    if (random.chance(0.3)) return this.killWorker();
    if (random.chance(0.3)) return this.cancelStep();
    if (random.chance(0.3)) return this.endManual();
    if (random.chance(0.3)) return this.pause();
    if (random.chance(0.3)) return this.repeat();
    if (random.chance(0.05)) return this.cancelFlow();
    await this.subject.clock.advance(2 * minute);
  }

  private async claim(): Promise<void> {
    const { runs } = await this.storage.claim(this.random.pick(this.workers), 1 + below(this.random, 5));
    for (const run of runs) {
      const key = keyOf(run.flowStep!);
      const step = this.model.at(key);
      assert.ok(!this.wellEnded.has(key), `${key} had ended well, and should not run again.`);
      assert.equal(step.state, 'released', `${key} should not be handed out.`);
      assert.equal(this.runs.get(key) ?? run.id, run.id, `${key} should have one run.`);
      assert.ok(!this.held.has(key), `${key} should be in one hand.`);
      assert.deepEqual(run.payload, this.payloadOf(run));
      this.runs.set(key, run.id);
      this.held.set(key, run);
    }
    this.note('claimed', runs.length);
  }

  private payloadOf({ flowStep }: ClaimedRun): JsonValue {
    const { name, nth } = flowStep!;
    if (nth === null) return 'of the flow';
    const { after } = this.model.at(name).definition;
    const list = this.model.at(after.find(({ data }) => data)!.parent);
    return (this.model.resultOf(list) as JsonValue[])[nth];
  }

  /** Ends some of what is held, by one call, each in its own way. */
  private async settleSome(): Promise<void> {
    const batch = [...this.held].filter(() => this.random.chance(0.5)).slice(0, 6);
    if (batch.length === 0) return;
    const ends: ModelEnd[] = [];
    const settlements: Settlement[] = [];
    const growing = below(this.random, batch.length);
    for (const [nth, [key, run]] of batch.entries()) {
      const [fields, end] = this.endOf(key, nth === growing);
      settlements.push(await settlementOf(this.subject.storage, run, fields));
      if (end !== null) ends.push(end);
    }
    try {
      const { accepted } = await this.storage.settle(settlements);
      assert.equal(accepted.length, batch.length, 'All of them should be accepted.');
      this.model.settle(ends);
    } catch (error) {
      if (!(error instanceof InvalidWorkflowError)) throw error;
      this.note('refused');
      await this.settleAlone(settlements, ends);
    }
    for (const [key] of batch) this.forget(key);
    this.stale.push(...settlements);
  }

  /** Without what does not fit. Those that are not accepted were written before the others were refused, which is allowed. */
  private async settleAlone(settlements: readonly Settlement[], ends: readonly ModelEnd[]): Promise<void> {
    const alone: ModelEnd[] = [];
    const before: ModelEnd[] = [];
    for (const { flowStep, ...settlement } of settlements) {
      const fitting = flowStep?.skipped ? { ...settlement, flowStep } : settlement;
      const { accepted } = await this.storage.settle([fitting]);
      const end = ends.find(({ key }) => this.held.get(key)!.id === settlement.runId);
      if (end) (accepted.length === 1 ? alone : before).push({ ...end, grows: {} });
    }
    this.model.settle(before);
    for (const end of alone) this.model.settle([end]);
  }

  private endOf(key: string, mayGrow: boolean): [Partial<Settlement>, ModelEnd | null] {
    const { random } = this;
    const isUnwanted = this.unwanted.has(this.held.get(key)!.id);
    const isAbandoned = this.model.at(key).definition.policies.recovery === 'abandon';
    const way = below(random, 20);
    this.note(`end ${way}`);
    if (way < 9) {
      const result = random.chance(0.7)
        ? Array.from({ length: below(random, 4) }, (_, nth) => `${key}:${nth}`)
        : random.pick<JsonValue>(['text', null, { of: key }]);
      const grows = mayGrow && random.chance(0.3) && this.added < 40 ? this.growth(key) : undefined;
      return [
        { result, ...(grows && { flowStep: grows }) },
        { key, verdict: 'succeeded', result, ...(grows && { grows }) },
      ];
    }
    if (way < 12) return [{ flowStep: { skipped: 'no' } }, { key, verdict: 'skipped' }];
    if (way < 14)
      return [
        { outcome: 'failed', error: 'boom' },
        { key, verdict: 'failed' },
      ];
    if (way === 14) return [{ outcome: 'timed_out' }, { key, verdict: 'timed_out' }];
    if (way === 15) return [{ outcome: 'cancelled' }, { key, verdict: 'cancelled' }];
    const retryAt = 0;
    if (way === 16)
      return [{ outcome: 'snoozed', retryAt }, isUnwanted ? { key, verdict: 'cancelled' } : null];
    if (way === 17) {
      if (isUnwanted) return [{ outcome: 'handed_back' }, { key, verdict: 'cancelled' }];
      return [{ outcome: 'handed_back' }, isAbandoned ? { key, verdict: 'lost' } : null];
    }
    return [{ outcome: 'failed', retryAt }, isUnwanted ? { key, verdict: 'failed' } : null];
  }

  private growth(key: string): Pick<StepEnd, 'added' | 'joined'> {
    const { random } = this;
    const known = [...this.model.steps.keys()];
    const added: NewFlowStep[] = [];
    for (let left = 1 + below(random, 3); left > 0; left--) {
      const parents = [...known, key.split('.')[0], ...added.map(({ name }) => name)];
      added.push(randomStep(random, `x${this.added++}`, parents));
    }
    const waiting = known.filter((name) => this.model.at(name).state === 'waiting');
    if (waiting.length === 0 || random.chance(0.5)) return { added };
    const child = random.chance(0.9) ? random.pick(waiting) : random.pick(known);
    return { added, joined: [{ parent: added[0].name, child, data: random.chance(0.5) }] };
  }

  private async killWorker(): Promise<void> {
    const dead = below(this.random, this.workers.length);
    await this.storage.unregister(this.workers[dead].workerId);
    this.workers[dead] = await this.newWorker();
    await this.release();
  }

  private async release(): Promise<void> {
    const { runs } = await this.storage.releaseLost();
    const keyOfRun = new Map([...this.held].map(([key, { id }]) => [id, key]));
    const ends: ModelEnd[] = [];
    for (const { runId, verdict } of runs) {
      const key = keyOfRun.get(runId)!;
      const { recovery, maxLost } = this.model.at(key).definition.policies;
      if (this.unwanted.has(runId)) assert.equal(verdict, 'cancelled');
      else if (recovery === 'abandon' || maxLost === 1) assert.equal(verdict, 'lost');
      this.forget(key);
      this.note(`released ${verdict}`);
      if (verdict !== null) ends.push({ key, verdict });
    }
    this.model.settle(ends);
  }

  /** Of any step that has a run: one that waits, runs, is delayed or manual. */
  private async cancelStep(): Promise<void> {
    const released = (await stepsOf(this.subject.storage, this.runId)).filter(
      ({ state, runId }) => state === 'released' && runId !== null,
    );
    if (released.length === 0) return;
    const chosen = this.random.pick(released);
    const answer = await this.storage.cancelRun(chosen.runId!);
    assert.equal(answer, this.held.has(keyOf(chosen)) ? 'requested' : 'cancelled');
    this.note(`cancel ${answer}`);
    if (answer === 'requested') this.unwanted.add(chosen.runId!);
    else this.model.settle([{ key: keyOf(chosen), verdict: 'cancelled' }]);
  }

  private async endManual(): Promise<void> {
    const open = (await stepsOf(this.subject.storage, this.runId)).filter(
      ({ state, kind, runId }) => kind === 'manual' && state === 'released' && runId !== null,
    );
    if (open.length === 0) return;
    const chosen = this.random.pick(open);
    const outcome = this.random.chance(0.7) ? 'succeeded' : 'failed';
    const result = outcome === 'succeeded' ? ['by', 'hand'] : null;
    assert.equal(await endOpen(this.storage, chosen.runId!, { outcome, result }), true);
    this.note('manual');
    this.model.settle([{ key: keyOf(chosen), verdict: outcome, result }]);
  }

  private async pause(): Promise<void> {
    await this.storage.flows!.pauseFlow(this.runId);
    const { runs } = await this.storage.claim(this.random.pick(this.workers), 5);
    assert.deepEqual(runs, [], 'Nothing should be handed out of what is paused.');
    await this.storage.flows!.resumeFlow(this.runId);
  }

  /** A settlement that was taken comes again, as after a lost answer. */
  private async repeat(): Promise<void> {
    if (this.stale.length === 0) return;
    const { flowStep: _, ...settlement } = this.random.pick(this.stale);
    assert.deepEqual((await this.storage.settle([settlement])).accepted, []);
  }

  private async cancelFlow(): Promise<void> {
    const held = new Set(this.held.keys());
    const waiting = Object.entries(this.model.states())
      .filter(
        ([key, state]) => state === 'released' && !held.has(key) && this.model.at(key).instances.length === 0,
      )
      .map(([key]) => key);
    await this.storage.cancelRun(this.runId);
    this.note('cancelled');
    this.model.cancel(waiting);
    await this.compare();
    const settlements: Settlement[] = [];
    for (const run of this.held.values()) settlements.push(await settlementOf(this.subject.storage, run));
    assert.equal((await this.storage.settle(settlements)).accepted.length, settlements.length);
    this.model.settle([...held].map((key) => ({ key, verdict: 'succeeded' })));
    this.held.clear();
  }

  private async compare(): Promise<void> {
    const stored = await stepsOf(this.subject.storage, this.runId, { results: true });
    const states = Object.fromEntries(stored.map((each) => [keyOf(each), each.state]));
    assert.deepEqual(states, this.model.states());
    assert.equal((await flowOf(this.subject.storage, this.runId)).verdict, this.model.verdict);
    for (const each of stored) {
      const step = this.model.at(keyOf(each));
      assert.deepEqual(each.result, step.result, `The result of ${keyOf(each)}`);
      if (each.nth !== null) continue;
      const parents = this.model
        .parentsOf(step)
        .filter(({ state }) => !['waiting', 'released', 'blocked'].includes(state));
      assert.equal(each.ok + each.bad, parents.length, `The parents of ${each.name} that have ended`);
      assert.deepEqual([each.need, each.after.length], [step.definition.need, step.definition.after.length]);
      this.checkTimes(each, stored);
    }
  }

  /** As many of its parents as it needs had ended when it was released. */
  private checkTimes({ name, after, need, releasedAt }: FlowStep, stored: readonly FlowStep[]): void {
    if (releasedAt === null || this.wellEnded.has(name)) return;
    const names = new Set(after.map(({ parent }) => parent));
    const before = stored.filter(
      ({ name: parent, nth, endedAt }) =>
        nth === null && names.has(parent) && endedAt !== null && endedAt <= releasedAt,
    );
    assert.ok(before.length >= need, `${name} should have been released after its parents had ended.`);
  }

  private async checkEnd(): Promise<void> {
    const { storage } = this.subject;
    const { verdict } = this.model;
    this.note(verdict!);
    const row = await verdictOf(storage, this.runId);
    assert.equal(row.outcome, verdict);
    assert.deepEqual(row.result, verdict === 'succeeded' ? this.model.result() : null);
    const { items } = await storage.queryRuns({ state: ['waiting', 'running', 'open', 'paused'] }, {});
    assert.deepEqual(items, [], 'Nothing should be left.');
    for (const [key, runId] of this.runs) {
      assert.equal((await verdictOf(storage, runId)).final, true, key);
    }
  }

  private forget(key: string): void {
    this.held.delete(key);
  }

  private newWorker(): Promise<Capability> {
    return startWorker(this.subject.storage, { leaseMs: 400 * day, handlers: ['work', 'open'] });
  }

  private note(what: string, times = 1): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + times);
  }
}
