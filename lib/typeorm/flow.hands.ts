import type { JsonValue } from '../model/json.js';
import type { Policies } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { EpochMs, Hands } from '../ports/storage.adapter.js';

/** A run as `handedColumn` gives it. */
export interface HandedRun {
  id: string;
  jobId: string;
  namespace: string;
  app: string | null;
  handler: string;
  queue: string;
  priority: number;
  timeZone: string;
  policies: Partial<Policies>;
  dueAt: EpochMs;
  flowRunId: string;
  workflow: string;
  version: number | null;
  name: string;
  nth: number | null;
  depth: number;
  place: string;
  params: JsonValue;
  payload: JsonValue;
}

/** What ends of steps bear in one transaction, for a worker that has room for it. */
export class FlowHands {
  readonly taken: ClaimedRun[] = [];
  /** When the first run of a step is due that was born for anybody; null: none was. */
  bornAt: EpochMs | null = null;
  /** False: other things happen by these ends, too, of which it does not know what they set off. */
  isAll = true;

  constructor(private readonly hands: Hands) {}

  /** The last values of `advanceFlowsSql` for it. */
  get values(): unknown[] {
    const { workerId, app, queues, handlers } = this.hands.capability;
    return [workerId, queues, handlers, app, this.hands.room - this.taken.length];
  }

  note(handed: readonly HandedRun[] | null, bornAt: EpochMs | null): void {
    for (const run of handed ?? []) this.taken.push(this.toClaimedRun(run));
    if (bornAt !== null) this.bornAt = Math.min(this.bornAt ?? bornAt, bornAt);
  }

  private toClaimedRun(run: HandedRun): ClaimedRun {
    const { id, jobId, namespace, app, handler, queue, priority, policies, timeZone, payload, dueAt } = run;
    const { flowRunId, workflow, version, name, nth, depth, place, params } = run;
    return {
      ...{ id, worker: this.hands.capability.workerId, fence: 1, attempt: 1, lostCount: 0, missed: 0 },
      ...{ jobUid: null, jobId, jobName: null, namespace, app, handler, queue, priority, origin: 'workflow' },
      ...{ payload, metadata: {}, policies, timeZone, nominalAt: dueAt, dueAt },
      flowStep: { flowRunId, workflow, version, name, nth, depth, place, params },
    };
  }
}
