import assert from 'node:assert/strict';
import type {
  Capability,
  ClaimedRun,
  FlowStep,
  JsonValue,
  NewFlowStep,
  Settlement,
  StorageAdapter,
} from '../../lib/index.js';
import type { StorageSubject } from '../../lib/testing/index.js';
import {
  addOneOff,
  addRecurring,
  day,
  hour,
  minute,
  ref,
  settlementOf,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { endOpen, keyOf, openAs, step } from '../../lib/testing/laws/flow.fixture.js';
import { SeededRandom } from '../simulation/seeded.random.js';

type Pair<T> = readonly [T, T];
type Given = Partial<Settlement> & { retryInMs?: number };

const all = { limit: 1_000 };
const deepest = 4;
const mostFlows = 12;
const mostHeld = 20;
/** More than the result of a whole may have. */
const tooLong = 'x'.repeat(70_000);

/** Does the same to workflows within workflows in two storages, at random, and compares all that they tell after each call. The same seed does the same; it stands in the message of what goes wrong, with the last calls. */
export async function compareNestedFlows(
  subjects: Pair<StorageSubject>,
  seed: number,
  turns: number,
): Promise<void> {
  const random = new SeededRandom(seed);
  const workers = [await workerOf(subjects[0]), await workerOf(subjects[1])] as const;
  const flows = new NestedFlows(subjects, workers, random);
  try {
    await flows.run(turns);
  } catch (error) {
    const text = `Seed ${seed}: ${(error as Error).message}\n${flows.calls.slice(-20).join('\n')}`;
    throw Object.assign(new Error(text), { cause: error });
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

const workerOf = ({ storage }: StorageSubject): Promise<Capability> =>
  startWorker(storage, { leaseMs: 400 * day, handlers: ['work', 'open'] });

class NestedFlows {
  readonly calls: string[] = [];
  /** The runs that flows were, in the order in which they opened, or were retried, in each storage. */
  private readonly runs: Pair<string[]> = [[], []];
  /** Claimed runs that have not ended, by what they are. */
  private readonly held = new Map<string, Pair<ClaimedRun>>();
  private names = 0;

  constructor(
    private readonly subjects: Pair<StorageSubject>,
    private readonly workers: Pair<Capability>,
    private readonly random: SeededRandom,
  ) {}

  async run(turns: number): Promise<void> {
    await this.begin();
    for (let turn = 0; turn < turns; turn++) {
      await this.turn();
      await this.same('what there is', (storage, nth) => this.view(storage, nth));
    }
  }

  private async turn(): Promise<void> {
    const dice = this.random.next();
    if (dice < 0.3) return this.claim();
    if (dice < 0.65 && this.held.size > 0) return this.settleOne();
    if (dice < 0.72) return this.endOpenStep();
    if (dice < 0.76) return this.endFlow();
    if (dice < 0.79) return this.cancel();
    if (dice < 0.84) return this.pause();
    if (dice < 0.92) return this.retry();
    if (dice < 0.94) return this.begin();
    if (dice < 0.96) return this.remove();
    const ms = this.random.pick([minute, 2 * minute, hour + minute]);
    this.calls.push(`advance ${ms}`);
    for (const { clock } of this.subjects) await clock.advance(ms);
  }

  private async both<T>(work: (storage: StorageAdapter, nth: 0 | 1) => Promise<T>): Promise<Pair<T>> {
    return [await work(this.subjects[0].storage, 0), await work(this.subjects[1].storage, 1)];
  }

  /** What both answer. */
  private async same<T>(what: string, work: (storage: StorageAdapter, nth: 0 | 1) => Promise<T>): Promise<T> {
    this.calls.push(what);
    const [one, other] = await this.both(work);
    assert.deepEqual(other, one, what);
    return one;
  }

  private attempt<T>(
    what: string,
    work: (storage: StorageAdapter, nth: 0 | 1) => Promise<T>,
  ): Promise<T | string> {
    return this.same<T | string>(what, (storage, nth) =>
      work(storage, nth).catch((error: Error) => this.named(nth, `${error.name}: ${error.message}`)),
    );
  }

  /** By itself, or in a transaction that is committed, or rolled back. */
  private async change<T>(
    what: string,
    work: (storage: Pick<StorageAdapter, 'settleOpen' | 'cancelRun'>, nth: 0 | 1) => Promise<T>,
  ): Promise<void> {
    const mode = this.random.pick(['plain', 'commit', 'rollback']);
    await this.attempt(`${what}, ${mode}`, async (storage, nth) => {
      if (mode === 'plain') return work(storage, nth);
      return this.subjects[nth].transaction!(async (manager) => {
        await work((await storage.joined!(manager))!, nth);
        if (mode === 'rollback') throw new Error('rolled back');
      });
    });
  }

  /** With flows by their places instead of ids. */
  private named(nth: 0 | 1, text: string): string {
    const place = (id: string): string => String(this.runs[nth].lastIndexOf(id));
    // A step that was reset is found in memory only.
    const plain = text.replace(
      /the step "\w+" of the run \S+ of the workflow "\w+"/,
      'a step of another workflow',
    );
    return plain.replaceAll(/\b(run "?)(\d+)/g, (_, before: string, id: string) => `${before}#${place(id)}`);
  }

  private get place(): number {
    return this.random.between(0, this.runs[0].length - 1);
  }

  private async claim(): Promise<void> {
    const claimed = await this.both(async (storage, nth) => {
      const { runs } = await storage.claim(this.workers[nth], 1_000);
      return new Map(runs.map((run) => [this.keyOfRun(nth, run), run]));
    });
    const keys = claimed.map((runs) => [...runs.keys()].toSorted());
    this.calls.push(`claim ${keys[0]!.join()}`);
    assert.deepEqual(keys[1], keys[0], 'what is claimed');
    for (const [key, run] of claimed[0]) this.held.set(key, [run, claimed[1].get(key)!]);
  }

  private keyOfRun(nth: 0 | 1, { flowStep, jobId, openedAt }: ClaimedRun): string {
    if (flowStep === undefined) return `${jobId} ${openedAt === undefined ? 'again' : 'late'}`;
    return `${this.runs[nth].lastIndexOf(flowStep.flowRunId)}/${keyOf(flowStep)}`;
  }

  private async settleOne(): Promise<void> {
    const key = this.random.pick([...this.held.keys()].toSorted());
    const runs = this.held.get(key)!;
    this.held.delete(key);
    const given = await this.endingOf(runs[0]);
    const { flow, outcome = 'succeeded' } = given;
    const accepted = await this.attempt(
      `settle ${key} ${flow ? 'as flow' : outcome}`,
      async (storage, nth) => {
        const result = await storage.settle([await settlementOf(storage, runs[nth], given)]);
        return result.accepted.length;
      },
    );
    if (!flow || accepted !== 1) return;
    const isFlow = await this.same(
      'opens',
      async (storage, nth) => (await storage.flows!.getFlow(runs[nth].id)) !== null,
    );
    if (!isFlow || this.runs[0].includes(runs[0].id)) return;
    for (const nth of [0, 1] as const) this.runs[nth].push(runs[nth].id);
  }

  private async endingOf({ flowStep, openedAt }: ClaimedRun): Promise<Given> {
    const { random } = this;
    const way = random.next();
    if (openedAt !== undefined) return { outcome: 'timed_out' };
    if (way < 0.3) return { result: random.pick<JsonValue>([[], [1], [1, 2, 3], null, 'text', tooLong]) };
    if (way < 0.4) return { outcome: 'failed', error: 'no' };
    if (way < 0.45 && flowStep) return { flowStep: { skipped: 'no' } };
    if (way < 0.5) return { outcome: 'failed', error: 'again', retryInMs: 0 };
    if (way < 0.55) return { outcome: 'handed_back' };
    if (way < 0.6) return { outcome: 'opened', ...(random.chance(0.5) && { retryInMs: hour }) };
    if (way < 0.85 && (flowStep?.depth ?? 0) < deepest) {
      const flow = { workflow: 'inner', version: null, params: null, steps: this.steps() };
      return { outcome: 'opened', flow };
    }
    if (!flowStep) return {};
    const added = this.steps();
    const page = await this.subjects[0].storage.flows!.queryFlowSteps(
      flowStep.flowRunId,
      { instances: false },
      all,
    );
    const waiting = (page?.items ?? []).filter(({ state }) => state === 'waiting').map(({ name }) => name);
    const edge = { parent: added.at(-1)!.name, data: random.chance(0.5) };
    const isJoined = waiting.length > 0 && random.chance(0.5);
    return { flowStep: { added, joined: isJoined ? [{ ...edge, child: random.pick(waiting) }] : [] } };
  }

  private steps(): NewFlowStep[] {
    const { random } = this;
    const steps: NewFlowStep[] = [];
    for (let left = random.between(1, 4); left > 0; left--) {
      const after = steps.map(({ name }) => name).filter(() => random.chance(0.5));
      const made = step(`s${this.names++}`, after);
      if (after.length > 0) made.otherwise = random.pick(['block', 'cancel', 'run']);
      made.allowFailure = random.chance(0.2);
      made.delayMs = random.chance(0.15) ? 3 * minute : 0;
      if (after.length > 0 && random.chance(0.25)) {
        made.map = true;
        made.after = made.after.map(({ parent }, nth) => ({ parent, data: nth === 0 }));
      } else {
        if (random.chance(0.2))
          Object.assign(made, { kind: 'manual', deadlineMs: random.pick([hour, null]) });
        if (after.length > 1 && random.chance(0.3)) made.need = 1;
      }
      steps.push(made);
    }
    return steps;
  }

  private async begin(): Promise<void> {
    if (this.runs[0].length >= mostFlows || this.held.size > mostHeld) return;
    // What else is due must not be taken for it.
    await this.claim();
    const { random } = this;
    const id = `job${this.names++}`;
    const [isRecurring, isKept] = [random.chance(0.5), random.chance(0.5)];
    const opened = { workflow: id, ...(random.chance(0.2) && { deadlineInMs: 2 * hour }) };
    const steps = this.steps();
    this.calls.push(`begin ${id}`);
    await this.both(async (storage, nth) => {
      if (isRecurring) {
        await addRecurring(storage, { id, dueInMs: 300 * day });
        await storage.runNow(ref(id));
      } else await addOneOff(storage, { id, ...(isKept && { policies: { keepMs: 30 * day } }) });
      const { runs } = await storage.claim(this.workers[nth], 1_000);
      const run = runs.find(({ jobId }) => jobId === id)!;
      await openAs(storage, run, steps, opened);
      this.runs[nth].push(run.id);
    });
  }

  private async endOpenStep(): Promise<void> {
    const open = await this.both((storage, nth) => this.openSteps(storage, nth));
    const keys = open.map((runs) => [...runs.keys()].toSorted());
    assert.deepEqual(keys[1], keys[0], 'what is open');
    if (keys[0]!.length === 0) return;
    const key = this.random.pick(keys[0]!);
    const given = this.random.pick<Given>([
      { result: [1, 2] },
      { result: tooLong },
      { outcome: 'failed', error: 'by hand' },
      { outcome: 'failed', error: 'by hand', retryInMs: minute },
    ]);
    await this.change(`end ${key}`, (storage, nth) => endOpen(storage, open[nth].get(key)!, given));
  }

  private async openSteps(storage: StorageAdapter, nth: 0 | 1): Promise<Map<string, string>> {
    const open = new Map<string, string>();
    for (const [place, runId] of this.runs[nth].entries()) {
      const page = await storage.flows!.queryFlowSteps(runId, {}, all);
      for (const each of page?.items ?? []) {
        if (each.state !== 'released' || each.runId === null) continue;
        const [run] = (await storage.queryRuns({ runId: each.runId }, all)).items;
        if (run?.state === 'open') open.set(`${place}/${keyOf(each)}`, each.runId);
      }
    }
    return open;
  }

  private async endFlow(): Promise<void> {
    const { place } = this;
    const given = this.random.pick<Given>([
      { outcome: 'succeeded' },
      { outcome: 'failed', error: 'outside' },
      { outcome: 'failed', error: 'outside', retryInMs: minute },
    ]);
    await this.change(`end ${place}`, (storage, nth) => endOpen(storage, this.runs[nth][place]!, given));
  }

  private cancel(): Promise<void> {
    const { place } = this;
    return this.change(`cancel ${place}`, (storage, nth) => storage.cancelRun(this.runs[nth][place]!));
  }

  private async pause(): Promise<void> {
    const { place } = this;
    const way = this.random.pick(['pauseFlow', 'resumeFlow'] as const);
    await this.attempt(`${way} ${place}`, ({ flows }, nth) => flows![way](this.runs[nth][place]!));
  }

  private async retry(): Promise<void> {
    const { place, random } = this;
    const page = await this.subjects[0].storage.flows!.queryFlowSteps(
      this.runs[0][place]!,
      { instances: false },
      all,
    );
    const some = (page?.items ?? []).map(({ name }) => name).filter(() => random.chance(0.4));
    const names = some.length > 0 && random.chance(0.4) ? some : null;
    const retried: string[] = [];
    const answer = await this.attempt(`retry ${place} ${names?.join() ?? ''}`, async ({ flows }, nth) => {
      const run = await flows!.retryFlow(this.runs[nth][place]!, names);
      if (run !== null) retried.push(run.id);
      return run !== null;
    });
    if (answer === true) for (const nth of [0, 1] as const) this.runs[nth].push(retried[nth]!);
  }

  private async remove(): Promise<void> {
    const { place } = this;
    const way = this.random.pick(['retryRuns', 'discardRuns', 'prune'] as const);
    await this.attempt(`${way} ${place}`, async (storage, nth) => {
      if (way === 'prune') return storage.flows!.pruneFlows((await storage.now()) - 2 * hour, 1);
      return (await storage[way]([this.runs[nth][place]!])).length;
    });
  }

  /** All flows, their steps, the verdicts of their runs, and all runs. */
  private async view(storage: StorageAdapter, nth: 0 | 1): Promise<unknown> {
    const flows: unknown[] = [];
    for (const runId of this.runs[nth]) {
      const later = await storage.flows!.laterRun(runId);
      flows.push(later === null ? null : this.runs[nth].lastIndexOf(later));
      const flow = await storage.flows!.getFlow(runId);
      if (flow === null) continue;
      const { verdict, openedAt, endedAt, pausedAt, counts } = flow;
      const steps = (await storage.flows!.queryFlowSteps(runId, { results: true }, all))!.items;
      const [end] = (await storage.queryAttempts({ runId, finalOnly: true }, all)).items;
      const last = end && [end.outcome, end.attempt, this.named(nth, end.error ?? ''), end.result];
      flows.push([
        verdict,
        openedAt,
        endedAt,
        pausedAt,
        counts,
        last,
        steps.map((each) => this.viewOf(nth, each)),
      ]);
    }
    const runs = (await storage.queryRuns({}, all)).items.map(({ jobId, state, dueAt, attempt }) => {
      const job = this.named(nth, jobId.replace(/^(\d+)\//, 'run $1 '));
      return [job, state, dueAt?.getTime() ?? 'never', attempt].join(' ');
    });
    return [flows, runs.toSorted((one, other) => (one < other ? -1 : 1))];
  }

  private viewOf(nth: 0 | 1, each: FlowStep): unknown {
    const { state, need, ok, bad, reason, result, releasedAt, endedAt, after, runId } = each;
    const parents = after.map(({ parent }) => parent).toSorted();
    const why = this.named(nth, reason ?? '');
    return [keyOf(each), state, need, ok, bad, why, result, releasedAt, endedAt, parents, runId !== null];
  }
}
