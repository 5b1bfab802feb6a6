import { ledgerPartitions } from '../sql/ledger.partitions.fragment.js';
import type { TableNames } from '../sql/table.names.js';
import { byHand, bySql, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';

const dayMs = 86_400_000;
/** Workers make as many days ahead as this. */
const daysAhead = 2;
const mostCounted = 10_000;

/** Whether the ledger has its days. */
export const partitionCheck: Check = {
  name: 'partitions',
  look: async ({ session, t }: Ground) => {
    const { at, works, strays } = await session.row<Days>(daysSql(t));
    const names = (await session.rows<{ name: string }>(ledgerPartitions(t))).map(({ name }) => name);
    return partitionFindings({ at, works, strays, names }, t);
  },
};

interface Days {
  at: number;
  /** A worker is alive, which makes them. */
  works: boolean;
  strays: number;
}

const daysSql = (t: TableNames): string => `
select (extract(epoch from now()) * 1000)::numeric as at, exists (select from ${t.worker} where lease_until > now() and released_at is null) as works,
  (select count(*)::int from (select from ${t.qualified('attempt_default')} limit ${mostCounted + 1}) stray) as strays`;

export function partitionFindings(
  { at, works, strays, names }: Days & { names: readonly string[] },
  t: TableNames,
): Finding[] {
  const findings: Finding[] = [];
  const today = Math.floor(at / dayMs) * dayMs;
  const wanted = Array.from({ length: daysAhead + 1 }, (_, ahead) => today + ahead * dayMs);
  const missing = works ? wanted.filter((day) => !names.includes(nameOf(t, day))) : [];
  if (missing.length > 0) {
    findings.push({
      code: 'doctor.missing-partition',
      severity: 'warning',
      sentence: `The ledger has no partition for ${missing.map(dateOf).join(', ')}: rows of those days go to the default partition, and are deleted one by one. The role of the workers may not make tables, or somebody keeps the ledger locked.`,
      evidence: { days: missing.map(dateOf) },
      repair: bySql(missing.map((day) => creating(t, day)).join(' ')),
    });
  }
  if (strays > 0) {
    const count = strays > mostCounted ? `more than ${mostCounted}` : String(strays);
    findings.push({
      code: 'doctor.default-partition',
      severity: 'warning',
      sentence: `The default partition of the ledger holds ${count} rows: of days that had no partition of their own when these were written.`,
      evidence: { table: t.qualified('attempt_default'), rows: count },
      repair: byHand(
        'They are deleted when they are old enough. New days get a partition while the role of the workers may create tables: grant create on the schema to it.',
      ),
    });
  }
  return findings;
}

function nameOf(t: TableNames, day: number): string {
  return `${t.prefix}attempt_${dateOf(day).replaceAll('-', '')}`;
}

function dateOf(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}

function creating(t: TableNames, day: number): string {
  const table = t.qualified(`attempt_${dateOf(day).replaceAll('-', '')}`);
  const [from, until] = [day, day + dayMs].map((at) => new Date(at).toISOString());
  return `create table ${table} partition of ${t.attempt} for values from ('${from}') to ('${until}'); alter table ${table} replica identity full;`;
}
