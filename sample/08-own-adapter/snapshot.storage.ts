import {
  MemoryStorage,
  StorageAdapter,
  StorageError,
  SystemClock,
  type AdapterRecipe,
  type Clock,
} from 'nestjs-chronis';
import { SharedDocument } from './shared.document.js';
import { SnapshotLock } from './snapshot.lock.js';

/** For `ChronisModule.forRoot({ storage: snapshotStorage({ folder }) })`. */
export function snapshotStorage({ folder }: { folder: string }): AdapterRecipe<StorageAdapter> {
  return { create: () => new SnapshotStorage(new SharedDocument(folder)) };
}

/**
 * Jobs in one document, for a few processes with some hundreds of jobs. Each call restores a MemoryStorage from the text, works on it, and
 * stores what has become of it. What a storage has to promise is promised there, as long as the calls come one after the other and
 * a call is stored as a whole: those two are the document's part.
 */
export class SnapshotStorage extends StorageAdapter {
  readonly kind = 'snapshot';
  readonly shared = true;
  readonly lock = new SnapshotLock((work) => this.on((jobs) => work(jobs.lock)));
  private known: { text: string; jobs: MemoryStorage } | null = null;
  private closed = false;

  constructor(
    private readonly document: SharedDocument,
    private readonly clock: Clock = new SystemClock(),
  ) {
    super();
  }

  async init(): Promise<void> {
    await this.document.create(new MemoryStorage().snapshot());
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  now: StorageAdapter['now'] = (...given) => this.on((jobs) => jobs.now(...given));
  syncDefinitions: StorageAdapter['syncDefinitions'] = (...given) =>
    this.on((jobs) => jobs.syncDefinitions(...given));
  syncedSet: StorageAdapter['syncedSet'] = (...given) => this.on((jobs) => jobs.syncedSet(...given));
  orphanUndeclared: StorageAdapter['orphanUndeclared'] = (...given) =>
    this.on((jobs) => jobs.orphanUndeclared(...given));
  inherit: StorageAdapter['inherit'] = (...given) => this.on((jobs) => jobs.inherit(...given));
  insertJobs: StorageAdapter['insertJobs'] = (...given) => this.on((jobs) => jobs.insertJobs(...given));
  getJob: StorageAdapter['getJob'] = (...given) => this.on((jobs) => jobs.getJob(...given));
  queryJobs: StorageAdapter['queryJobs'] = (...given) => this.on((jobs) => jobs.queryJobs(...given));
  queryRefs: StorageAdapter['queryRefs'] = (...given) => this.on((jobs) => jobs.queryRefs(...given));
  countJobs: StorageAdapter['countJobs'] = (...given) => this.on((jobs) => jobs.countJobs(...given));
  updateJob: StorageAdapter['updateJob'] = (...given) => this.on((jobs) => jobs.updateJob(...given));
  deleteJob: StorageAdapter['deleteJob'] = (...given) => this.on((jobs) => jobs.deleteJob(...given));
  pauseJob: StorageAdapter['pauseJob'] = (...given) => this.on((jobs) => jobs.pauseJob(...given));
  resumeJob: StorageAdapter['resumeJob'] = (...given) => this.on((jobs) => jobs.resumeJob(...given));
  cancelRun: StorageAdapter['cancelRun'] = (...given) => this.on((jobs) => jobs.cancelRun(...given));
  cancelJob: StorageAdapter['cancelJob'] = (...given) => this.on((jobs) => jobs.cancelJob(...given));
  runNow: StorageAdapter['runNow'] = (...given) => this.on((jobs) => jobs.runNow(...given));
  changeJobs: StorageAdapter['changeJobs'] = (...given) => this.on((jobs) => jobs.changeJobs(...given));
  backfill: StorageAdapter['backfill'] = (...given) => this.on((jobs) => jobs.backfill(...given));
  pauseScope: StorageAdapter['pauseScope'] = (...given) => this.on((jobs) => jobs.pauseScope(...given));
  resumeScope: StorageAdapter['resumeScope'] = (...given) => this.on((jobs) => jobs.resumeScope(...given));
  queryPauses: StorageAdapter['queryPauses'] = (...given) => this.on((jobs) => jobs.queryPauses(...given));
  retryRuns: StorageAdapter['retryRuns'] = (...given) => this.on((jobs) => jobs.retryRuns(...given));
  settleOpen: StorageAdapter['settleOpen'] = (...given) => this.on((jobs) => jobs.settleOpen(...given));
  queryRunSteps: StorageAdapter['queryRunSteps'] = (...given) =>
    this.on((jobs) => jobs.queryRunSteps(...given));
  recordRunStep: StorageAdapter['recordRunStep'] = (...given) =>
    this.on((jobs) => jobs.recordRunStep(...given));
  recordStepWait: StorageAdapter['recordStepWait'] = (...given) =>
    this.on((jobs) => jobs.recordStepWait(...given));
  takeRunSignal: StorageAdapter['takeRunSignal'] = (...given) =>
    this.on((jobs) => jobs.takeRunSignal(...given));
  sendRunSignal: StorageAdapter['sendRunSignal'] = (...given) =>
    this.on((jobs) => jobs.sendRunSignal(...given));
  discardRuns: StorageAdapter['discardRuns'] = (...given) => this.on((jobs) => jobs.discardRuns(...given));
  register: StorageAdapter['register'] = (...given) => this.on((jobs) => jobs.register(...given));
  renew: StorageAdapter['renew'] = (...given) => this.on((jobs) => jobs.renew(...given));
  updateWorker: StorageAdapter['updateWorker'] = (...given) => this.on((jobs) => jobs.updateWorker(...given));
  unregister: StorageAdapter['unregister'] = (...given) => this.on((jobs) => jobs.unregister(...given));
  queryWorkers: StorageAdapter['queryWorkers'] = (...given) => this.on((jobs) => jobs.queryWorkers(...given));
  releaseLost: StorageAdapter['releaseLost'] = (...given) => this.on((jobs) => jobs.releaseLost(...given));
  recomputeCursors: StorageAdapter['recomputeCursors'] = (...given) =>
    this.on((jobs) => jobs.recomputeCursors(...given));
  dueCursors: StorageAdapter['dueCursors'] = (...given) => this.on((jobs) => jobs.dueCursors(...given));
  fire: StorageAdapter['fire'] = (...given) => this.on((jobs) => jobs.fire(...given));
  claim: StorageAdapter['claim'] = (...given) => this.on((jobs) => jobs.claim(...given));
  settle: StorageAdapter['settle'] = (...given) => this.on((jobs) => jobs.settle(...given));
  giveBack: StorageAdapter['giveBack'] = (...given) => this.on((jobs) => jobs.giveBack(...given));
  heldBy: StorageAdapter['heldBy'] = (...given) => this.on((jobs) => jobs.heldBy(...given));
  nextWakeAt: StorageAdapter['nextWakeAt'] = (...given) => this.on((jobs) => jobs.nextWakeAt(...given));
  queryRuns: StorageAdapter['queryRuns'] = (...given) => this.on((jobs) => jobs.queryRuns(...given));
  queryAttempts: StorageAdapter['queryAttempts'] = (...given) =>
    this.on((jobs) => jobs.queryAttempts(...given));
  queryFailures: StorageAdapter['queryFailures'] = (...given) =>
    this.on((jobs) => jobs.queryFailures(...given));
  queryGaps: StorageAdapter['queryGaps'] = (...given) => this.on((jobs) => jobs.queryGaps(...given));
  liftOverdue: StorageAdapter['liftOverdue'] = (...given) => this.on((jobs) => jobs.liftOverdue(...given));
  deferStranded: StorageAdapter['deferStranded'] = (...given) =>
    this.on((jobs) => jobs.deferStranded(...given));
  prune: StorageAdapter['prune'] = (...given) => this.on((jobs) => jobs.prune(...given));

  private async on<T>(work: (jobs: MemoryStorage) => Promise<T>): Promise<T> {
    if (this.closed) throw new StorageError('This snapshot storage was closed.');
    let answer!: T;
    await this.document.change(async (text) => {
      const jobs = this.known?.text === text ? this.known.jobs : this.restored(text);
      // What a call leaves behind that fails half-way must not be seen by the next one.
      this.known = null;
      answer = await work(jobs);
      this.known = { text: jobs.snapshot(), jobs };
      return this.known.text;
    });
    return answer;
  }

  /** The record is short, as each call that changes something writes all of it. */
  private restored(text: string): MemoryStorage {
    return MemoryStorage.restore(text, { clock: this.clock, recordLimit: 1_000 });
  }
}
