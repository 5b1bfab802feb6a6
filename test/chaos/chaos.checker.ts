import { jobs, notes } from './chaos.options.js';
import { checks, dueInstants } from './checks.js';
import type { Evidence } from './evidence.js';
import { readLedger, writeNotes } from './ledger.js';
import type { OneOff } from './one.offs.js';
import { recoveriesOf, recoveryFigures, type RecoveryFigure } from './recovery.js';
import { rules } from './rules/rules.js';
import { losses, overlaps } from './rules/windows.js';

export interface Report {
  /** Occurrences that were due by the definitions and at creation; what came of them. */
  figures: Record<string, number>;
  verdicts: Record<string, number>;
  attempts: Record<string, number>;
  /** Occurrences with more than one effect; in the plain manner some are to be expected. */
  doubles: Record<string, number>;
  faults: Record<string, number>;
  recovery: Record<string, RecoveryFigure>;
  /** How many violations each check found. */
  checks: Record<string, number>;
  /** What they are, by check; empty: none. */
  found: Record<string, string[]>;
  violations: number;
}

/** A report with all that it was made of. */
export interface Inquiry {
  report: Report;
  evidence: Evidence;
}

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;

/** What was seen beside the tables. */
export type Seen = Omit<Evidence, 'attempts' | 'gaps'> & { oneOffs: readonly OneOff[] };

/** Compares the tables with themselves, and with what was seen. */
export async function check(query: Query, seen: Seen): Promise<Inquiry> {
  const found: Record<string, string[]> = {};
  const evidence: Evidence = { ...seen, ...(await readLedger(query)) };
  const certain = seen.oneOffs.filter(
    ({ confirmedAt }) =>
      !losses(evidence).some((loss) =>
        overlaps(loss, { from: confirmedAt - 1_000, until: confirmedAt + 1_000 }),
      ),
  );
  await writeNotes(query, seen.faults, certain);
  for (const { name, sql } of checks) {
    const rows = await query<{ violation: string }>(`select v.* from (${sql}) v (violation) order by 1`);
    if (rows.length > 0) found[name] = rows.map(({ violation }) => violation);
  }
  for (const { name, find } of rules) {
    const violations = find(evidence);
    if (violations.length > 0) found[name] = violations;
  }
  const recoveries = seen.sameClock ? recoveriesOf(evidence) : [];
  const late = recoveries.filter(({ ms, limitMs }) => limitMs !== null && ms > limitMs);
  if (late.length > 0) {
    found[lateRecoveries] = late.map(
      ({ kind, ms, limitMs }) => `${kind}: ${ms} ms, allowed are ${limitMs} ms`,
    );
  }
  const names = [...checks, ...rules].map(({ name }) => name);
  const report: Report = {
    figures: await figures(query),
    verdicts: await counts(query, `select outcome as key from ${jobs}.attempt where final`),
    attempts: await counts(query, `select outcome as key from ${jobs}.attempt`),
    doubles: await counts(query, doubledSql),
    faults: await counts(query, `select kind as key from ${notes}.fault`),
    recovery: recoveryFigures(recoveries),
    checks: Object.fromEntries([...names, lateRecoveries].map((name) => [name, found[name]?.length ?? 0])),
    found,
    violations: Object.values(found).reduce((sum, list) => sum + list.length, 0),
  };
  return { report, evidence };
}

const lateRecoveries = 'late recoveries';

const doubledSql = ['plain', 'unique', 'transaction']
  .map(
    (manner) =>
      `select '${manner}' as key from ${notes}.${manner}_effect group by job_id, nominal_at having count(*) > 1`,
  )
  .join(' union all ');

async function figures(query: Query): Promise<Record<string, number>> {
  const [row] = await query<Record<string, number>>(`with ${dueInstants}
    select (select count(*) from due)::int as "due instants",
      (select count(*) from ${notes}.one_off)::int as "one-offs",
      (select count(distinct (job_id, nominal_at)) from ${jobs}.attempt)::int as created,
      (select count(distinct run_id) from ${jobs}.attempt)::int as runs,
      (select count(*) from ${jobs}.attempt)::int as attempts,
      (select count(*) from ${jobs}.attempt where final)::int as verdicts,
      (select coalesce(sum(count), 0) from ${jobs}.gap where until_at is not null)::int as "instants in gaps",
      (select count(*) from ${notes}.plain_effect)::int as "plain effects",
      (select count(*) from ${notes}.unique_effect)::int as "unique effects",
      (select count(*) from ${notes}.transaction_effect)::int as "transaction effects",
      (select count(*) from ${jobs}.attempt
        where final and outcome = 'succeeded' and job_id like 'transaction-%')::int as "succeeded in a transaction",
      (select count(*) from ${jobs}.worker)::int as workers`);
  return row!;
}

async function counts(query: Query, keys: string): Promise<Record<string, number>> {
  const rows = await query<{ key: string; count: number }>(
    `select key, count(*)::int as count from (${keys}) k group by key order by key`,
  );
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]));
}
