import assert from 'node:assert/strict';
import type { Capability, ClaimedRun, JobState, Settlement, StorageAdapter } from '../../lib/index.js';
import type { StorageSubject } from '../../lib/testing/index.js';
import { day, minute, ref, settlementOf, startWorker } from '../../lib/testing/laws/fixture.js';
import { after, free } from '../../lib/testing/laws/wait.fixture.js';
import { SeededRandom } from '../simulation/seeded.random.js';
import { below } from './random.steps.js';
import { WaitModel, type ModelJob, type ModelState } from './wait.model.js';

/** What a round has come to, so that a test can see that all of it occurs. */
export type SeenWaits = Map<string, number>;

const shownAs: Partial<Record<JobState, ModelState>> = {
  pending: 'ready',
  scheduled: 'ready',
  waiting: 'waiting',
  running: 'running',
  failed: 'failed',
};

const policiesOf = [{}, {}, { recovery: 'abandon' }, { maxLost: 1 }] as const;
const mostJobs = 40;
const mostAdded = 20;

/**
 * Jobs that wait for each other, ended, retried, discarded, cancelled, deleted, paused and let go at random, by two adapters, with workers that die; compared with a model after each call. The same seed does the
 * same; it stands in the message of what goes wrong.
 */
export async function runRandomWaits(
  subject: StorageSubject,
  seed: number,
  seen: SeenWaits = new Map(),
): Promise<void> {
  try {
    await new RandomWaits(subject, new SeededRandom(seed), await subject.open(), seen).run();
  } catch (error) {
    throw Object.assign(new Error(`Seed ${seed}: ${(error as Error).message}`), { cause: error });
  }
}

class RandomWaits {
  private readonly model = new WaitModel();
  private workers: Capability[] = [];
  private readonly held = new Map<string, ClaimedRun>();
  private readonly unwanted = new Set<string>();
  /** The runs of dead letters. */
  private readonly dead = new Map<string, string>();
  private readonly policies = new Map<string, (typeof policiesOf)[number]>();
  private count = 0;

  constructor(
    private readonly subject: StorageSubject,
    private readonly random: SeededRandom,
    private readonly other: StorageAdapter,
    private readonly seen: SeenWaits,
  ) {}

  async run(): Promise<void> {
    this.workers = [await this.newWorker(), await this.newWorker()];
    await this.add(2 + below(this.random, mostJobs));
    for (let turns = 0; this.model.in('ready', 'running', 'waiting', 'failed').length > 0; turns++) {
      assert.ok(turns < 20_000, 'All of them should come to an end.');
      await this.turn(turns);
      await this.compare();
    }
    await this.checkRecord();
  }

  /** Either adapter. */
  private get storage(): StorageAdapter {
    return this.random.chance(0.5) ? this.subject.storage : this.other;
  }

  private turn(turns: number): Promise<void> {
    const { random } = this;
    // In the end there is nobody left who pauses, retries or adds.
    const isEnding = turns > 400;
    if (random.chance(0.35)) return this.claim();
    if (random.chance(0.5)) return this.settleSome(isEnding);
    if (random.chance(0.1)) return this.killWorker();
    if (random.chance(0.15)) return this.endByHand();
    if (random.chance(0.3)) return isEnding ? this.discard() : this.retry();
    if (random.chance(0.2)) return this.discard();
    if (random.chance(0.2)) return this.runNow();
    if (random.chance(0.4)) return this.pauseOrResume(isEnding);
    if (random.chance(0.4) && !isEnding && this.count < mostJobs + mostAdded) return this.addMore();
    return this.subject.clock!.advance(2 * minute);
  }

  private async add(count: number): Promise<void> {
    const jobs: Pick<ModelJob, 'id' | 'after' | 'need' | 'otherwise'>[] = [];
    const known = this.model.in('ready', 'running', 'waiting').map(({ id }) => id);
    for (let left = count; left > 0; left--) jobs.push(this.newJob([...known, ...jobs.map(({ id }) => id)]));
    await this.insert(jobs);
    this.model.add(jobs);
    await this.compare();
  }

  private newJob(earlier: readonly string[]): Pick<ModelJob, 'id' | 'after' | 'need' | 'otherwise'> {
    const { random } = this;
    const parents = Array.from({ length: Math.min(below(random, 5), earlier.length) }, () =>
      random.pick(earlier.slice(-10)),
    );
    const names = [...new Set(parents)];
    const need = names.length === 0 || random.chance(0.6) ? names.length : 1 + below(random, names.length);
    return { id: `j${this.count++}`, after: names, need, otherwise: random.pick(['block', 'cancel', 'run']) };
  }

  private async insert(
    jobs: readonly Pick<ModelJob, 'id' | 'after' | 'need' | 'otherwise'>[],
  ): Promise<void> {
    const { random, subject } = this;
    const rows = [];
    for (const { id, after: parents, need, otherwise } of jobs) {
      const policies = random.pick(policiesOf);
      this.policies.set(id, policies);
      const delay = random.chance(0.1) ? { delay: minute } : {};
      rows.push(
        parents.length === 0
          ? await free(subject.storage, id, { policies })
          : await after(subject.storage, id, [...parents], { need, otherwise, ...delay }, { policies }),
      );
    }
    await this.storage.insertJobs(rows, 'raise');
  }

  /** Also such as are refused, as what they name has ended. */
  private async addMore(): Promise<void> {
    const ended = this.model.in('succeeded', 'failed', 'gone');
    if (ended.length > 0 && this.random.chance(0.3)) {
      const parent = this.random.pick(ended).id;
      const job = { id: `j${this.count++}`, after: [parent], need: 1, otherwise: 'run' as const };
      await assert.rejects(this.insert([job]), new RegExp(`names "${parent}"`));
      this.note('refused');
      return;
    }
    await this.add(1 + below(this.random, 3));
    this.note('added');
  }

  private async claim(): Promise<void> {
    const { runs } = await this.storage.claim(this.random.pick(this.workers), 1 + below(this.random, 4));
    for (const run of runs) {
      const job = this.model.at(run.jobId);
      assert.deepEqual([job.state, job.isPaused], ['ready', false], `${run.jobId} should not be handed out.`);
      this.model.set(run.jobId, 'running');
      this.held.set(run.jobId, run);
    }
    this.note('claimed', runs.length);
  }

  /** Ends some of what is held, by one call, each in its own way. */
  private async settleSome(isEnding: boolean): Promise<void> {
    const batch = [...this.held].filter(() => this.random.chance(0.6)).slice(0, 5);
    if (batch.length === 0) return;
    const settlements: Settlement[] = [];
    const ends: (readonly [id: string, state: ModelState])[] = [];
    for (const [id, run] of batch) {
      const [fields, state] = this.endOf(id, isEnding);
      settlements.push(await settlementOf(this.subject.storage, run, fields));
      ends.push([id, state]);
    }
    const { accepted } = await this.storage.settle(settlements);
    assert.equal(accepted.length, batch.length, 'All of them should be accepted.');
    for (const [id, state] of ends) this.letGo(id, state);
  }

  private endOf(id: string, isEnding: boolean): [Partial<Settlement>, ModelState] {
    const isUnwanted = this.unwanted.has(id);
    const way = isEnding ? 0 : below(this.random, 10);
    this.note(`end ${way}`);
    if (way < 5) return [{ result: way }, 'succeeded'];
    if (way === 5) return [{ outcome: 'failed', error: 'boom' }, 'failed'];
    if (way === 6) return [{ outcome: 'timed_out', error: 'late' }, 'failed'];
    if (way === 7) return [{ outcome: 'cancelled' }, 'gone'];
    if (way === 8) return [{ outcome: 'snoozed', retryAt: 0 }, isUnwanted ? 'gone' : 'ready'];
    return [{ outcome: 'failed', error: 'boom', retryAt: 0 }, isUnwanted ? 'failed' : 'ready'];
  }

  private letGo(id: string, state: ModelState): void {
    if (state === 'failed') this.dead.set(id, this.held.get(id)!.id);
    this.held.delete(id);
    this.unwanted.delete(id);
    this.model.set(id, state);
  }

  private async killWorker(): Promise<void> {
    const nth = below(this.random, this.workers.length);
    await this.storage.unregister(this.workers[nth]!.workerId);
    this.workers[nth] = await this.newWorker();
    const { runs } = await this.storage.releaseLost();
    for (const { jobId, verdict } of runs) {
      this.note(`released ${verdict}`);
      const { recovery, maxLost } = this.policies.get(jobId) as { recovery?: string; maxLost?: number };
      const isLost = recovery === 'abandon' || maxLost === 1;
      assert.equal(verdict, this.unwanted.has(jobId) ? 'cancelled' : isLost ? 'lost' : verdict);
      this.letGo(jobId, verdict === null ? 'ready' : verdict === 'lost' ? 'failed' : 'gone');
    }
  }

  /** Cancels, or deletes, one that has not ended. */
  private async endByHand(): Promise<void> {
    const jobs = this.model.in('waiting', 'ready', 'running');
    if (jobs.length === 0) return;
    const { id, state } = this.random.pick(jobs);
    if (state === 'running') {
      await this.storage.cancelJob(ref(id));
      this.unwanted.add(id);
      return this.note('cancel asked');
    }
    const way = this.random.pick(['cancel', 'delete', 'delete many'] as const);
    if (way === 'cancel') await this.storage.cancelJob(ref(id));
    else if (way === 'delete') await this.storage.deleteJob(ref(id));
    else await this.storage.changeJobs([ref(id)], { kind: 'delete' });
    this.note(`${way} of ${state}`);
    this.model.set(id, 'gone');
  }

  private async retry(): Promise<void> {
    if (this.dead.size === 0) return;
    const [id, runId] = this.random.pick([...this.dead]);
    const byHand = this.random.chance(0.5);
    if (byHand) await this.storage.runNow(ref(id));
    else await this.storage.retryRuns([runId]);
    this.dead.delete(id);
    this.note(byHand ? 'run again' : 'retried');
    this.model.set(id, 'ready');
  }

  private async discard(): Promise<void> {
    if (this.dead.size === 0) return;
    const [id, runId] = this.random.pick([...this.dead]);
    const isDeleted = this.random.chance(0.3);
    if (isDeleted) await this.storage.deleteJob(ref(id));
    else await this.storage.discardRuns([runId]);
    this.dead.delete(id);
    this.note(isDeleted ? 'deleted' : 'discarded');
    this.model.set(id, 'gone');
  }

  private async runNow(): Promise<void> {
    const waiting = this.model.in('waiting').filter(({ isPaused }) => !isPaused);
    if (waiting.length === 0) return;
    const { id } = this.random.pick(waiting);
    await this.storage.runNow(ref(id));
    this.note('run now');
    this.model.set(id, 'ready');
  }

  private async pauseOrResume(isEnding: boolean): Promise<void> {
    const jobs = this.model.in('waiting', 'ready').filter(({ isPaused }) => isPaused || !isEnding);
    if (jobs.length === 0) return;
    const job = this.random.pick(jobs);
    if (job.isPaused) await this.storage.resumeJob(ref(job.id), () => ({ nextAt: null, gap: null }));
    else await this.storage.pauseJob(ref(job.id), { reason: null, by: null });
    job.isPaused = !job.isPaused;
    this.note(`${job.isPaused ? 'paused' : 'resumed'} ${job.state}`);
  }

  private async compare(): Promise<void> {
    const { items } = await this.subject.storage.queryJobs({}, { limit: 1_000 });
    const stored = new Map(items.map((job) => [job.id, job]));
    for (const job of this.model.jobs.values()) {
      const { id, state, isPaused } = job;
      const found = stored.get(id);
      if (state === 'succeeded' || state === 'gone') {
        assert.equal(found, undefined, `${id} should be gone (${state}), and is ${found?.state}.`);
        continue;
      }
      assert.ok(found, `${id} should be there (${state}).`);
      const expected = isPaused && state !== 'running' && state !== 'failed' ? 'paused' : state;
      assert.equal(shownAs[found.state] ?? found.state, expected, `The state of ${id}`);
      assert.deepEqual(found.waitsFor, this.model.waitsFor(job), `What ${id} waits for`);
    }
  }

  /** By the ledger alone: each run has one last word, and nothing began before what it needed had succeeded. */
  private async checkRecord(): Promise<void> {
    const { items } = await this.subject.storage.queryAttempts({}, { limit: 1_000 });
    const finals = items.filter(({ final }) => final);
    const runIds = finals.map(({ runId }) => runId);
    assert.equal(new Set(runIds).size, runIds.length, 'Each run should have one last word.');
    for (const { id, state } of this.model.jobs.values()) {
      const outcomes = finals.filter(({ jobId }) => jobId === id).map(({ outcome }) => outcome);
      assert.ok(outcomes.length > 0, `${id} should be on record.`);
      assert.equal(
        outcomes.includes('succeeded'),
        state === 'succeeded',
        `The verdicts of ${id}: ${outcomes.join()}`,
      );
    }
  }

  private newWorker(): Promise<Capability> {
    return startWorker(this.subject.storage, { leaseMs: 400 * day });
  }

  private note(what: string, times = 1): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + times);
  }
}
