import type { JobRow } from '../../../lib/memory/tables.js';
import type { StorageAdapter, SyncRequest, SyncResult } from '../../../lib/ports/storage.adapter.js';
import type { SimulatedDatabase } from '../simulated.database.js';
import { Attendance } from './attendance.js';

/** A declared job as it is stored. */
export type StoredJob = Pick<JobRow, 'uid' | 'app' | 'definition' | 'orphanedAt' | 'orphanedReason'>;

/** One call of a handler of a declared job. */
export interface Work {
  app: string;
  /** Null: of any. */
  jobApp: string | null;
  method: string;
  runId: string;
  nominalAt: number;
}

/** What a history of deploys leaves behind for the checker, besides the storage. */
export class DeployHistory {
  readonly attendance = new Attendance();
  /** What is stored of declared jobs, whenever that became something else. */
  readonly stored: { at: number; jobs: readonly StoredJob[] }[] = [];
  /** Times in which something kept the processes of an app from following: nothing is expected of them then. */
  readonly disturbances: { from: number; until: number }[] = [];
  readonly work: Work[] = [];
  /** What a boot did that had to be refused. */
  readonly wrongBoots: string[] = [];
  /** What was due until then has come to its end. */
  settledAt = Infinity;
  private last = '';

  constructor(private readonly database: SimulatedDatabase) {
    database.watcher = (method, args, answer) => this.note(method, args, answer);
  }

  disturb(from: number, until = from): void {
    this.disturbances.push({ from, until });
  }

  /** What a boot could change, as text. */
  private get declaredState(): string {
    const { jobs, releases, workers } = this.database.tables;
    const own = [...jobs.values()].map((job) => [
      factsOf(job),
      job.previousIds,
      job.generation,
      job.revision,
    ]);
    return JSON.stringify([own, [...releases], [...workers.keys()]]);
  }

  private note(method: string, args: readonly unknown[], answer: unknown): void {
    const now = this.database.clock.now();
    this.attendance.note(method, args, answer, now);
    if (method === 'syncDefinitions' || method === 'orphanUndeclared') this.noteStored(now);
  }

  /** A storage whose syncs are looked at: one that is refused must write nothing. */
  watching(storage: StorageAdapter): StorageAdapter {
    const syncDefinitions = async (request: SyncRequest): Promise<SyncResult> => {
      let before = '';
      const plan: SyncRequest['plan'] = (...given) => {
        // Within the step of the storage, before it writes.
        before = this.declaredState;
        return request.plan(...given);
      };
      const answer = await storage.syncDefinitions({ ...request, plan });
      if (answer.status === 'refused' && this.declaredState !== before)
        this.wrongBoots.push('a boot that was refused has changed what is stored');
      return answer;
    };
    return new Proxy(storage, {
      get: (target, key) =>
        key === 'syncDefinitions' ? syncDefinitions : (Reflect.get(target, key) as unknown),
    });
  }

  private noteStored(at: number): void {
    const jobs = [...this.database.tables.jobs.values()]
      .filter(({ source }) => source === 'code')
      .map(factsOf);
    const text = JSON.stringify(jobs);
    if (text === this.last) return;
    this.last = text;
    this.stored.push({ at, jobs: structuredClone(jobs) });
  }
}

function factsOf({ uid, app, definition, orphanedAt, orphanedReason }: JobRow): StoredJob {
  return { uid, app, definition, orphanedAt, orphanedReason };
}
