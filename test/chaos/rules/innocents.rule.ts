import { lookEveryMs, type Evidence, type FaultNote, type LedgerRow } from '../evidence.js';
import { grouped, instant, type Rule } from './rule.js';
import { covered, outages, overlaps, stalls, type Window } from './windows.js';

/**
 * A run that ends its process takes nobody with it for good, and is given up in the end. Nobody can tell an innocent run from one that kills if harm from outside has met its worker each time, the
 * last time while it was alone there.
 */
export const innocents: Rule = {
  name: 'given up with a poison run',
  find(evidence) {
    const { attempts, executions } = evidence;
    const lost = attempts.filter(
      ({ jobId, final, outcome }) => final && outcome === 'lost' && jobId.includes('-one-off-'),
    );
    const poison = grouped(
      executions.filter(({ jobId }) => jobId.startsWith('poison-')),
      ({ jobId }) => jobId,
    );
    return [
      ...lost
        .filter((row) => isDated(evidence, row))
        .filter((row) => harmsOf(evidence, row).length === 0 || companyOf(evidence, row).length > 0)
        .map((row) => `${row.jobId} run ${row.runId} ended as lost\n${historyOf(evidence, row.runId)}`),
      ...[...poison].flatMap(([jobId, own]) =>
        own.length > 3 ? [`${jobId} ended ${own.length} processes`] : [],
      ),
    ];
  },
};

/** One release takes back all that a worker has held. */
const oneReleaseMs = 500;
/** Done to each session of the workers' role. */
const harmsAll = new Set(['role-setting']);

export interface Harm extends Window {
  what: string;
}

/** What kept its worker from renewing its lease while that held it, but for a run that has ended its process. */
export function harmsOf(evidence: Evidence, row: LedgerRow): Harm[] {
  const { faults, leaseMs } = evidence;
  const held = heldMeanwhile(evidence, row);
  const meets = ({ kind, pid }: FaultNote): boolean =>
    harmsAll.has(kind) || (pid !== null && pid === row.pid && kind !== 'poisoned');
  const harms = [
    ...outages(evidence).map((outage) => ({ ...outage, what: 'outage' })),
    ...faults.filter(meets).map(({ kind, at, until }) => ({ from: at, until: until + leaseMs, what: kind })),
  ].filter((harm) => overlaps(harm, held));
  return [...harms, ...slownessOf(evidence, row.pid, { from: held.from - leaseMs, until: held.until })];
}

/** A stall of the event loop counts from then on, as a silence of the server does: each keeps a renewal from its answer. */
const slowMs = 250;

/** A lease is renewed three times in its length, so one that has no answer for a part of it may end. A handler that blocks has a thread beside it that renews, which a busy machine may keep from it. How it was before its first turn nobody knows. */
function slownessOf(evidence: Evidence, pid: number | null, window: Window): Harm[] {
  const silences = evidence.silences.filter((silence) => silence.pid === pid);
  const boots = evidence.loops
    .filter((loop) => loop.pid === pid)
    .map((loop) => ({ from: window.from, until: loop.from }));
  const all = [...boots, ...silences, ...stalls(evidence, pid)].filter(
    (slow) => slow.until - slow.from >= slowMs && overlaps(slow, window),
  );
  if (covered(window, all) < evidence.leaseMs / 4) return [];
  return all.map(({ from, until }) => ({ from, until, what: 'no answer' }));
}

/** What was taken back with it from its worker. */
function companyOf({ attempts }: Evidence, { worker, runId, finishedAt }: LedgerRow): LedgerRow[] {
  return attempts.filter(
    (other) =>
      other.worker === worker &&
      other.runId !== runId &&
      other.outcome === 'lost' &&
      Math.abs(other.finishedAt - finishedAt) < oneReleaseMs,
  );
}

/** Whether it is known when its worker had it. Where the ledger goes by a clock that leaps it is not of what nobody has seen and nobody has executed: what harm it met then cannot be said. */
function isDated(
  { sameClock, sightings, executions }: Evidence,
  { runId, fence, attempt }: LedgerRow,
): boolean {
  return (
    sameClock ||
    sightings.some((one) => one.runId === runId && one.fence === fence) ||
    executions.some((one) => one.runId === runId && one.attempt === attempt)
  );
}

/** By the clock of the machine, also where the ledger goes by another one: from what was seen of it, or from its execution, where it was too short to be seen. What was not begun has no start in the ledger. */
function heldMeanwhile(evidence: Evidence, row: LedgerRow): Window {
  const { runId, fence, attempt, startedAt, finishedAt } = row;
  const seen = evidence.sightings.find((one) => one.runId === runId && one.fence === fence);
  if (evidence.sameClock)
    return { from: startedAt ?? seen?.firstAt ?? finishedAt - evidence.leaseMs, until: finishedAt };
  const executed = evidence.executions.find((one) => one.runId === runId && one.attempt === attempt);
  const from = seen?.firstAt ?? executed?.beganAt ?? finishedAt;
  const until = seen?.lastAt ?? executed?.endedAt ?? from;
  return { from: from - lookEveryMs, until: until + lookEveryMs };
}

/** A line for each time that it was in somebody's hands: in whose, from when to when, how that ended, with how many others, and what was done to its worker. */
function historyOf(evidence: Evidence, runId: string): string {
  return evidence.attempts
    .filter((row) => row.runId === runId)
    .toSorted((a, b) => a.fence - b.fence)
    .map((row) => {
      const { from, until } = heldMeanwhile(evidence, row);
      const company = companyOf(evidence, row).map(({ jobId }) => jobId);
      const deaths = evidence.faults
        .filter(({ kind, pid }) => kind === 'poisoned' && pid === row.pid)
        .map(({ at }) => `poisoned ${instant(at)}`);
      const harms = harmsOf(evidence, row).map(
        (harm) => `${harm.what} ${instant(harm.from)} to ${instant(harm.until)}`,
      );
      return [
        `    fence ${row.fence} in ${row.pid} as ${row.worker} ${instant(from)} to ${instant(until)}: ${row.outcome}`,
        `beside ${company.length}${company.length > 0 ? ` (${company.slice(0, 5).join(', ')})` : ''}`,
        ...deaths,
        ...harms,
      ].join('; ');
    })
    .join('\n');
}
