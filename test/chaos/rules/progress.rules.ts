import type { Evidence, LedgerRow, Sighting } from '../evidence.js';
import { longestPutOffMs } from '../recovery.js';
import type { Execution } from '../executions.js';
import { grouped, instant, type Rule } from './rule.js';
import {
  covered,
  harmTo,
  lockedTimes,
  lonelyDrains,
  losses,
  outages,
  overlaps,
  standstills,
  strayed,
} from './windows.js';

/** How long beyond a lease a cluster may take to go on with something. */
export const boundMs = 5_000;

/** As long as the longest handler goes on, and as long again for what is alone then. */
const longestDrainMs = 10_000;

/** Jobs whose every instant is to be run at once. */
const isPrompt = (jobId: string): boolean =>
  /^(plain|unique|transaction)-(quick|flaky|one-off.*)$|^plain-(cron|large)$/.test(jobId);

/** While some of the cluster could work, it did: a run that was due, or was lost by a worker that died, was soon in somebody's hands. */
const promptness: Rule = {
  name: 'stood still while others could work',
  find(evidence) {
    if (!evidence.sameClock) return [];
    const asleep = standstills(evidence);
    const drains = lonelyDrains(evidence);
    const runs = grouped(evidence.attempts, ({ runId }) => runId);
    const first = grouped(
      evidence.executions.filter(({ jobId }) => isPrompt(jobId)),
      ({ jobId, nominalAt }) => `${jobId} ${nominalAt}`,
    );
    return [...first.values()].flatMap(([one]) => {
      const { runId, jobId, nominalAt, beganAt } = one!;
      const excuses = [...lockedTimes(evidence, jobId), ...losses(evidence)];
      const claims = (runs.get(runId) ?? []).toSorted((a, b) => a.fence - b.fence);
      const lost = claims.filter(({ outcome, finishedAt }) => outcome === 'lost' && finishedAt <= beganAt);
      return lost.concat({ startedAt: beganAt } as LedgerRow).flatMap(({ startedAt }, losses) => {
        const waited = { from: lost[losses - 1]?.finishedAt ?? nominalAt, until: startedAt! };
        const idle = [...outages(evidence), ...asleep, ...strayed(evidence, runId)];
        const idleMs = covered(waited, idle);
        const drainedMs = covered(waited, [...idle, ...drains]) - idleMs;
        const limit =
          (losses === 0 ? evidence.leaseMs : 0) +
          boundMs +
          evidence.slackMs +
          (losses < 2 ? 0 : longestPutOffMs) +
          idleMs +
          Math.min(drainedMs, longestDrainMs);
        const ms = waited.until - waited.from;
        if (ms <= limit || excuses.some((window) => overlaps(window, waited))) return [];
        return [
          `${jobId} of ${instant(nominalAt)} was taken up ${ms} ms late${lost
            .slice(0, losses)
            .map(({ pid }) => `, lost by ${pid}`)
            .join('')}`,
        ];
      });
    });
  },
};

/** Nothing stays in the hands of a worker that has done it, has never begun it, or is dead. */
const emptyHands: Rule = {
  name: 'kept in hands',
  find(evidence) {
    const own = grouped(evidence.executions, ({ runId }) => runId);
    const asleep = standstills(evidence);
    return evidence.sightings.flatMap((seen) => {
      const idleFrom = idleSince(evidence, seen, own.get(seen.runId) ?? []);
      if (idleFrom === null) return [];
      const idle = { from: idleFrom, until: seen.lastAt };
      const excuses = [
        ...outages(evidence),
        ...harmTo(evidence, seen.pid),
        ...lockedTimes(evidence, seen.jobId),
        ...asleep,
      ];
      const limit = evidence.leaseMs + boundMs + evidence.slackMs + covered(idle, excuses);
      const ms = seen.lastAt - idleFrom;
      return ms > limit ? [`${seen.jobId} run ${seen.runId} by ${seen.pid}: ${ms} ms`] : [];
    });
  },
};

/** From when on nobody worked at it; null: somebody did, for all that is known. */
function idleSince({ faults }: Evidence, seen: Sighting, executions: readonly Execution[]): number | null {
  const last = executions.findLast(({ pid, beganAt }) => pid === seen.pid && beganAt <= seen.lastAt);
  if (last === undefined || (last.endedAt !== null && last.endedAt < seen.firstAt)) return seen.firstAt;
  if (last.endedAt !== null) return last.endedAt;
  const death = faults.find(({ kind, pid }) => pid === seen.pid && (kind === 'kill' || kind === 'poisoned'));
  return death === undefined ? null : death.at;
}

export const progressRules: readonly Rule[] = [promptness, emptyHands];
