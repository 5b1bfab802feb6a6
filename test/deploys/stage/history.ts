import assert from 'node:assert/strict';
import type { Run, RunContext } from '../../../lib/index.js';
import { defaultApp, methodsOf, type Release } from '../language/release.js';
import { schedulesOf, type Expected } from '../language/schedules.js';
import { appOf, nameOf, type Casting } from './instance.js';
import type { Aftermath } from './stored.js';
import type { Ticks } from './ticks.js';

/** What a handler saw. */
interface Sighting {
  app: string;
  method: string;
  jobId: string;
  runId: string;
  nominalAt: number;
  /** Whose code it was. */
  by: string;
}

/** A time in which just this is expected. */
export interface Window {
  from: number;
  to: number;
  expected: Record<string, Expected>;
  /** How long it took until that was in force. */
  tookMs: number;
}

interface Due {
  app: string;
  method: string;
  id: string;
  at: number;
}

/** What is seen in a scenario, and what is promised about it. */
export class History {
  readonly sightings: Sighting[] = [];
  readonly windows: Window[] = [];

  constructor(private readonly ticks: Ticks) {}

  get slowestMs(): number {
    return Math.max(0, ...this.windows.map(({ tookMs }) => tookMs));
  }

  note(casting: Casting, method: string, { job, runId, nominalAt, origin }: RunContext): void {
    if (origin !== 'schedule') return;
    const by = nameOf(casting);
    const app = appOf(casting);
    this.sightings.push({ app, method, jobId: job.id, runId, nominalAt: nominalAt.getTime(), by });
  }

  countOf(key: string): number {
    const { app, method } = methodKey(key);
    return this.sightings.filter((one) => one.app === app && one.method === method).length;
  }

  /** Whether all that is expected has been seen. */
  isComplete(window: Window): boolean {
    const seen = new Set(this.seenIn(window));
    return this.expectedIn(window).every((line) => seen.has(line));
  }

  /** Throws what is not as expected: each method at exactly these instants, under this id, in this app. */
  compare(window: Window): void {
    const [seen, expected] = [this.seenIn(window).toSorted(), this.expectedIn(window).toSorted()];
    const since = `of the ticks ${this.ticks.at(window.from)} to ${this.ticks.at(window.to)}`;
    assert.deepEqual(
      seen,
      expected,
      `Runs ${since}:\n  ${seen.join('\n  ')}\nexpected\n  ${expected.join('\n  ')}`,
    );
  }

  /** What holds for the whole scenario, at whose end the last instances began to leave at this time. Throws what does not. */
  verify(aftermath: Aftermath, releases: readonly Release[], leftAt: number): void {
    this.assertOneRunForAnInstant(aftermath);
    this.assertOnRecord(aftermath, leftAt);
    this.assertNothingLost(aftermath, releases);
  }

  /** Never two runs of one method for one instant, nor of one job. */
  private assertOneRunForAnInstant({ attempts }: Aftermath): void {
    const byMethod = this.sightings.map(
      (one) => [`${this.threadOf(one)} at ${this.ticks.at(one.nominalAt)}`, one.runId] as const,
    );
    const byJob = attempts
      .filter(({ origin }) => origin === 'schedule')
      .map((one) => [`"${one.jobId}" at ${this.ticks.at(one.nominalAt.getTime())}`, one.runId] as const);
    for (const [what, runIds] of [...grouped(byMethod), ...grouped(byJob)]) {
      assert.equal(new Set(runIds).size, 1, `There are ${new Set(runIds).size} runs of ${what}.`);
    }
  }

  /** What handlers saw is what the ledger says, each run with one verdict, and nothing is left but what was fired ahead, or just then, when the last ones left. */
  private assertOnRecord({ attempts, runs }: Aftermath, leftAt: number): void {
    const executed = attempts.filter(
      ({ outcome, origin }) => outcome === 'succeeded' && origin === 'schedule',
    );
    const said = executed.map(({ runId }) => runId).toSorted();
    const seen = [...new Set(this.sightings.map(({ runId }) => runId))].toSorted();
    assert.deepEqual(said, seen, 'The ledger has other runs than handlers saw.');
    const finals = attempts.filter(({ final }) => final).map(({ runId }) => runId);
    assert.equal(new Set(finals).size, finals.length, 'A run has two verdicts.');
    assert.equal(new Set(attempts.map(({ runId }) => runId)).size, finals.length, 'A run has no verdict.');
    const open = runs.filter(({ finishedAt }) => finishedAt === null);
    const isForTheNext = ({ state, nominalAt }: Run): boolean =>
      state === 'waiting' && nominalAt.getTime() > leftAt - this.ticks.tickMs / 2;
    const left = open.filter((run) => !isForTheNext(run));
    const ago = ({ nominalAt }: Run): number => leftAt - nominalAt.getTime();
    assert.deepEqual(
      left.map((run) => `${run.jobId} ${run.state}, due ${ago(run)} ms before the last ones left`),
      [],
      'Runs are left.',
    );
  }

  /** Never a due instant without run or gap: what a schedule named until something happened, and what those before and after it both name. */
  private assertNothingLost({ gaps }: Aftermath, releases: readonly Release[]): void {
    const seen = new Set(this.sightings.map((one) => `${this.threadOf(one)} ${one.nominalAt}`));
    for (const [nth, window] of this.windows.entries()) {
      const next = this.windows[nth + 1];
      const until = next?.from ?? window.to;
      const due = this.dueIn(window.expected, window.from, until);
      const stillDue = new Set(
        next && this.dueIn(next.expected, window.to, until).map((one) => this.nameOf(one)),
      );
      for (const one of due) {
        if (one.at > window.to && !stillDue.has(this.nameOf(one))) continue;
        if (seen.has(this.nameOf(one))) continue;
        const ids = idsOf(one.method, releases);
        const isInGap = gaps.some(
          ({ jobId, from, until: end }) =>
            ids.has(jobId) && from.getTime() <= one.at && (end === null || end.getTime() >= one.at),
        );
        const ranges = gaps.map(
          ({ jobId, from, until: end, reason }) =>
            `${jobId} ${this.ticks.at(from.getTime())}–${end === null ? '' : this.ticks.at(end.getTime())} ${reason}`,
        );
        assert(
          isInGap,
          `The instant ${this.ticks.at(one.at)} of ${one.method} has neither run nor gap. Gaps: ${ranges.join(', ')}.`,
        );
      }
    }
  }

  private nameOf(due: Due): string {
    return `${this.threadOf(due)} ${due.at}`;
  }

  private seenIn({ from, to }: Window): string[] {
    return this.sightings
      .filter(({ nominalAt }) => nominalAt > from && nominalAt <= to)
      .map(({ app, method, jobId, nominalAt }) => this.line({ app, method, id: jobId, at: nominalAt }));
  }

  private expectedIn({ from, to, expected }: Window): string[] {
    return this.dueIn(expected, from, to).map((one) => this.line(one));
  }

  private dueIn(expected: Record<string, Expected>, from: number, to: number): Due[] {
    return Object.entries(expected).flatMap(([key, given]) => {
      const { app, method } = methodKey(key);
      return schedulesOf(given).flatMap((schedule) => {
        const id = schedule.id ?? method;
        return this.ticks.instantsOf(schedule, id, from, to).map((at) => ({ app, method, id, at }));
      });
    });
  }

  private line({ app, method, id, at }: Due): string {
    return `${this.ticks.at(at).padStart(5)} ${app}/${method} as "${id}"`;
  }

  /** A method goes by its name, also from app to app; unless two apps have one of this name beside each other. */
  private threadOf({ app, method }: Pick<Due, 'app' | 'method'>): string {
    const isOfSeveral = this.windows.some(({ expected }) => {
      const having = Object.keys(expected).filter(
        (key) => methodKey(key).method === method && schedulesOf(expected[key]!).length > 0,
      );
      return having.length > 1;
    });
    return isOfSeveral ? `${app}/${method}` : method;
  }
}

/** Of `method`, or `app/method`. */
export function methodKey(key: string): { app: string; method: string } {
  const [method, app = defaultApp] = key.split('/').toReversed();
  return { app, method: method! };
}

/** All ids that a method has in any of these. */
function idsOf(method: string, releases: readonly Release[]): Set<string> {
  const ids = new Set<string>();
  for (const release of releases) {
    for (const role of Object.keys(release.roles)) {
      for (const replica of [1, 2, 3]) {
        for (const { id = method, options } of schedulesOf(
          methodsOf(release, role, replica)[method] ?? null,
        )) {
          for (const each of [id, ...(options?.previousIds ?? [])]) ids.add(each);
        }
      }
    }
  }
  return ids;
}

function grouped<T>(pairs: readonly (readonly [string, T])[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
}
