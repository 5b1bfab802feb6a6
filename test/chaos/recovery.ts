import type { Evidence, FaultNote, LedgerRow } from './evidence.js';
import { grouped } from './rules/rule.js';
import {
  covered,
  isStopped,
  lockedTimes,
  losses,
  outages,
  overlaps,
  standstills,
  type Window,
} from './rules/windows.js';

/** How long it took after one fault until what it had stopped went on; `limitMs`: null where no limit applies. */
export interface Recovery {
  kind: string;
  ms: number;
  limitMs: number | null;
}

/** After one of these a server that accepts connections again has work done on it within so long. */
const outageLimitMs = 4_000;
const outageKinds = new Set(['restart', 'failover', 'failover-lossy', 'crash-unflushed', 'read-only']);
/** What was handed back is executed elsewhere within so long. */
const handedBackLimitMs = 1_000;
/** What was lost twice is put off for as long at most, so that it is tried apart from others: see the guide on dead letters. */
export const longestPutOffMs = 30_000;
/** No limit is set to a recovery while one of these goes on. */
const troublesome = new Set([
  'cut',
  'silence',
  'trickle',
  'swallow',
  'deliver-late',
  'lock-rows',
  'role-setting',
]);

/**
 * After harm to one worker: until the last of the runs it had held went on elsewhere, from the harm, or after a SIGTERM from the moment it gave them back; apart, `again`: of those that were
 * lost before, which are kept apart from others. After an outage: from its end until the first run began. Nothing held, nothing to recover: nothing told.
 *
 * The limits hold for a worker that died alone: not while the server was restarting as well. Times in which no worker turned do not count, nor do those in which somebody else held rows of the job.
 */
export function recoveriesOf(evidence: Evidence): Recovery[] {
  const asleep = standstills(evidence);
  const runs = grouped(evidence.attempts, ({ runId }) => runId);
  return evidence.faults
    .toSorted((a, b) => a.at - b.at)
    .flatMap((fault) =>
      fault.outage ? afterOutage(evidence, fault, asleep) : afterHarm(evidence, fault, runs, asleep),
    );
}

function afterOutage(
  evidence: Evidence,
  { kind, at, until }: FaultNote,
  asleep: readonly Window[],
): Recovery[] {
  const begins = evidence.attempts.flatMap(({ startedAt }) =>
    startedAt !== null && startedAt >= until ? [startedAt] : [],
  );
  if (begins.length === 0) return [];
  const from = until;
  const next = Math.min(...begins);
  const others = outages(evidence).filter((other) => other.from !== at);
  const limitMs = outageKinds.has(kind)
    ? outageLimitMs + evidence.slackMs + covered({ from, until: next }, [...asleep, ...others])
    : null;
  return [{ kind, ms: Math.round(next - from), limitMs }];
}

function afterHarm(
  evidence: Evidence,
  { kind, pid, at }: FaultNote,
  runs: ReadonlyMap<string, readonly LedgerRow[]>,
  asleep: readonly Window[],
): Recovery[] {
  if (pid === null) return [];
  const { leaseMs, slackMs } = evidence;
  const isTroubled = evidence.faults.some(
    (other) =>
      (other.outage || troublesome.has(other.kind)) &&
      other.at < at + leaseMs + slackMs &&
      other.until > at - 3_000,
  );
  const worst = new Map<string, Recovery>();
  for (const row of evidence.attempts) {
    const isHandedBack = row.outcome === 'handed_back' && kind === 'term';
    if (row.pid !== pid || row.finishedAt < at || !(row.outcome === 'lost' || isHandedBack)) continue;
    const others = runs.get(row.runId)!;
    const begins = others.flatMap(({ fence, startedAt }) =>
      fence > row.fence && startedAt !== null ? [startedAt] : [],
    );
    if (begins.length === 0) continue;
    const waited = { from: isHandedBack ? row.finishedAt : at, until: Math.min(...begins) };
    if (isStopped(evidence, row.jobId, waited) || losses(evidence).some((loss) => overlaps(loss, waited)))
      continue;
    const isAgain = others.some(({ fence, outcome }) => fence < row.fence && outcome === 'lost');
    const mostMs =
      (isHandedBack ? handedBackLimitMs - 1_000 : leaseMs) + slackMs + (isAgain ? longestPutOffMs : 0);
    const hasLimit = (kind === 'kill' || kind === 'term') && !isTroubled;
    const excuses = [...asleep, ...lockedTimes(evidence, row.jobId)];
    const limitMs = hasLimit ? Math.round(mostMs + covered(waited, excuses)) : null;
    const recovery = {
      kind: isAgain ? `${kind}, again` : kind,
      ms: Math.round(waited.until - waited.from),
      limitMs,
    };
    const known = worst.get(recovery.kind);
    if (known === undefined || overdue(recovery) > overdue(known)) worst.set(recovery.kind, recovery);
  }
  return [...worst.values()];
}

const overdue = ({ ms, limitMs }: Recovery): number => ms - (limitMs ?? 0);

export interface RecoveryFigure {
  faults: number;
  p50Ms: number;
  maxMs: number;
}

export function recoveryFigures(recoveries: readonly Recovery[]): Record<string, RecoveryFigure> {
  const figures: Record<string, RecoveryFigure> = {};
  for (const kind of [...new Set(recoveries.map((recovery) => recovery.kind))].toSorted()) {
    const times = recoveries
      .filter((recovery) => recovery.kind === kind)
      .map(({ ms }) => ms)
      .toSorted((a, b) => a - b);
    figures[kind] = {
      faults: times.length,
      p50Ms: times[Math.floor((times.length - 1) / 2)]!,
      maxMs: times.at(-1)!,
    };
  }
  return figures;
}
