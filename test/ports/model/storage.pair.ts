import type { StorageAdapter } from '../../../lib/index.js';
import type { ClaimedRun, Run } from '../../../lib/model/run.js';
import type { Job, Page } from '../../../lib/model/job.js';
import type { Capability, PageRequest } from '../../../lib/ports/storage.adapter.js';
import type { StorageSubject } from '../../../lib/testing/index.js';

/** One of the two storages, with what its caller remembers: its own ids for what both know by an ordinal number. */
export class Side {
  readonly storage: StorageAdapter;
  /** Runs as claims handed them out, also long after: what is settled may be stale. */
  readonly claimed: ClaimedRun[] = [];
  readonly workers: Capability[] = [];
  /** How many workers have begun. */
  begun = 0;
  /** The runs that the schedule has given birth to, ever: by run, what it is. */
  readonly born = new Map<string, string>();
  /** Whether a job is a one-off, by id. */
  private kinds = new Map<string, boolean>();
  private readonly ordinals = new Map<string, number>();

  constructor(readonly subject: StorageSubject) {
    this.storage = subject.storage;
  }

  /** Runs in the order of their birth. */
  async runs(): Promise<Run[]> {
    const runs = await all<Run>((page) => this.storage.queryRuns({}, page));
    return runs.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  }

  /** Everything that can be read, in words that both sides share. */
  async state(): Promise<unknown> {
    const { storage } = this;
    const runs = await this.runs();
    const jobs = await all((page) => storage.queryJobs({}, page));
    this.forgetReplaced(jobs);
    for (const run of runs) this.note(run);
    const attempts = await all((page) => storage.queryAttempts({}, page));
    const gaps = await all((page) => storage.queryGaps({}, page));
    const wakes = [];
    const held = [];
    for (const worker of this.workers) {
      const { leaseEndsAt: _, ...wake } = await storage.nextWakeAt(worker);
      wakes.push(wake);
      held.push(
        (await storage.heldBy(worker.workerId))
          .map(({ runId, fence }) => `${this.ordinal(runId)}/${fence}`)
          .toSorted(),
      );
    }
    return this.inWords({
      jobs: jobs.map((job) => ({ ...job })),
      runs: runs.map((run) => ({ ...run, id: this.ordinal(run.id), retryOf: this.ordinal(run.retryOf) })),
      attempts: sorted(
        attempts.map((row) => ({
          ...row,
          runId: this.ordinal(row.runId),
          retryOf: this.ordinal(row.retryOf),
        })),
      ),
      gaps: sorted(gaps),
      pauses: sorted(await storage.queryPauses()),
      wakes,
      held,
    });
  }

  /** Callbacks have the id of a run in their own, and in their payload. */
  private inWords(state: Record<string, readonly unknown[]>): unknown {
    const text = JSON.stringify(state)
      .replace(
        /:(onFailure|onSuccess):(\d+)/g,
        (_, policy: string, id: string) => `:${policy}:#${this.ordinal(id)}`,
      )
      .replace(/"runId":"(\d+)"/g, (_, id: string) => `"runId":"#${this.ordinal(id)}"`);
    const { jobs, attempts, gaps, ...others } = JSON.parse(text) as Record<string, unknown[]>;
    return { jobs: sorted(jobs!), attempts: sorted(attempts!), gaps: sorted(gaps!), ...others };
  }

  /** What comes under the id of a job that has gone, or that was replaced by one of the other kind, is new. */
  private forgetReplaced(jobs: readonly Job[]): void {
    const kinds = new Map(
      jobs.map(({ id, source, trigger }) => [id, source !== 'code' && trigger.type === 'at']),
    );
    for (const [id, kind] of this.kinds) {
      if (kinds.get(id) === kind) continue;
      for (const [run, instant] of this.born) if (instant.startsWith(`${id} `)) this.born.delete(run);
    }
    this.kinds = kinds;
  }

  ordinal(id: string | null): number | null {
    if (id === null) return null;
    const known = this.ordinals.get(id) ?? this.ordinals.size + 1;
    this.ordinals.set(id, known);
    return known;
  }

  /** Instants that the schedule of a job has given birth to more than once. A job that was deleted and created anew is another one. */
  bornTwice(): string[] {
    const seen = new Set<string>();
    return [...this.born.values()].filter((instant) => seen.size === seen.add(instant).size);
  }

  note({ id, origin, jobId, nominalAt }: Pick<Run, 'id' | 'origin' | 'jobId' | 'nominalAt'>): void {
    this.ordinal(id);
    if (origin === 'schedule') this.born.set(id, `${jobId} ${nominalAt.toISOString()}`);
  }
}

/** Ids come in another order where rows are equal in time. */
function sorted(rows: readonly unknown[]): unknown[] {
  return rows
    .map((row) => JSON.stringify(row))
    .toSorted()
    .map((text) => JSON.parse(text) as unknown);
}

async function all<T>(query: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<T> = await query({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
