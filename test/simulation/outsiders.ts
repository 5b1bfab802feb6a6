import { HandlerRegistry } from '../../lib/engine/handler.registry.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import type { Attempt } from '../../lib/index.js';
import type { Clock } from '../../lib/ports/clock.js';
import type { StorageAdapter } from '../../lib/ports/storage.adapter.js';
import type { JobAccess } from '../../lib/scheduler/job.access.js';
import { OpenRuns } from '../../lib/scheduler/open.runs.js';
import { grouped } from './records.js';
import type { SeededRandom } from './seeded.random.js';

/** A verdict that somebody outside gave; `acknowledged`: whether the call has resolved. */
interface Given {
  runId: string;
  verdict: 'succeeded' | 'failed';
  token: string;
  acknowledged: boolean;
}

/** Those who give open runs their verdicts, several at once, over connections that lose requests and answers. */
export class Outsiders {
  readonly given: Given[] = [];
  private readonly calls: OpenRuns;

  constructor(
    private readonly storage: StorageAdapter,
    clock: Clock,
    private readonly random: SeededRandom,
  ) {
    this.calls = new OpenRuns(clock, new HandlerRegistry(), new ChronisEvents());
  }

  /** Some of these runs, whether or not they are open. Does not wait for what comes of it. */
  act(runIds: readonly string[]): void {
    if (runIds.length === 0) return;
    const { random } = this;
    for (let left = random.between(0, 4); left > 0; left--) {
      const runId = random.pick(runIds);
      const wait = random.pick([0, 500]);
      for (let callers = random.between(1, 3); callers > 0; callers--)
        void this.end(runId, random.chance(0.6) ? 'succeeded' : 'failed', wait);
    }
  }

  /** Ends all that are open. */
  async endAll(): Promise<void> {
    const { items } = await this.storage.queryRuns({ state: 'open' }, { limit: 1_000 });
    for (const { id } of items) await this.end(id, 'succeeded', 0);
  }

  private async end(runId: string, verdict: Given['verdict'], wait: number): Promise<void> {
    const call: Given = { runId, verdict, token: `token ${this.given.length}`, acknowledged: false };
    this.given.push(call);
    const access = { jobs: this.storage, isJoined: false, changed: () => undefined } as Partial<JobAccess>;
    const given = [{ wait }, access as JobAccess] as const;
    try {
      if (verdict === 'succeeded') await this.calls.complete(runId, call.token, ...given);
      else await this.calls.fail(runId, call.token, ...given);
      call.acknowledged = true;
    } catch {
      // It has a verdict, is not open, or nobody knows.
    }
  }
}

/** What was acknowledged is on record, and what is on record somebody has given; a success is the one verdict of its run. */
export function checkOutsiders(given: readonly Given[], attempts: readonly Attempt[]): string[] {
  const found: string[] = [];
  const rows = grouped(
    attempts.filter(({ worker }) => worker === 'outside'),
    ({ runId }) => runId,
  );
  for (const { runId, verdict, token, acknowledged } of given) {
    const own = (rows.get(runId) ?? []).filter(({ result, error }) => (result ?? error) === token);
    if (own.length > 1) found.push(`run ${runId}: one verdict from outside is on record ${own.length} times`);
    if (acknowledged && own.length === 0)
      found.push(`run ${runId}: ${verdict} was acknowledged, and is not on record`);
    if (verdict === 'succeeded' && own.some(({ final }) => !final))
      found.push(`run ${runId}: went on after it was completed`);
  }
  const tokens = new Set(given.map(({ runId, token }) => `${runId} ${token}`));
  for (const [runId, own] of rows)
    for (const { result, error } of own)
      if (!tokens.has(`${runId} ${typeof result === 'string' ? result : error}`))
        found.push(`run ${runId}: a verdict from outside that nobody gave`);
  return found;
}
