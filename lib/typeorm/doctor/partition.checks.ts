import {
  dayMs,
  daysAhead,
  defaultPartition,
  ledgerDay,
  startOfDay,
  type LedgerDay,
} from '../sql/ledger.day.fragment.js';
import { ledgerPartitions } from '../sql/ledger.partitions.fragment.js';
import type { TableNames } from '../sql/table.names.js';
import { byHand, bySql, type Check, type Ground } from './check.js';
import { detachedFindings, readTaken } from './detached.check.js';
import type { Finding } from './diagnosis.js';
import { defaultPartitionFindings } from './ledger.default.check.js';

const mostCounted = 10_000;

/** Whether the ledger has its days. */
export const partitionCheck: Check = {
  name: 'partitions',
  look: async (ground: Ground) => {
    const { session, t } = ground;
    const { at, works } = await session.row<Moment>(momentSql(t));
    const wanted = Array.from({ length: daysAhead + 1 }, (_, ahead) =>
      ledgerDay(t, startOfDay(at) + ahead * dayMs),
    );
    const names = (await session.rows<{ name: string }>(ledgerPartitions(t))).map(({ name }) => name);
    const lacking = wanted.filter(({ name }) => !names.includes(name));
    const taken = await readTaken(
      ground,
      lacking.map(({ name }) => name),
    );
    const isTaken = ({ name }: LedgerDay): boolean => taken.some((each) => each.name === name);
    const missing = works ? lacking.filter((day) => !isTaken(day)) : [];
    // Those of these days have a finding already, whose repair moves them.
    const told = [...lacking.filter(isTaken), ...missing];
    const ofDays = [...detachedFindings(taken, lacking, t), ...missingFindings(missing)];
    const ofDefault = await defaultPartitionFindings(ground, names);
    if (!names.includes(defaultPartition(t).name)) return [...ofDefault, ...ofDays];
    const { strays } = await session.row<{ strays: number }>(straysSql(t, told));
    return [...ofDefault, ...ofDays, ...strayFindings(strays, t)];
  },
};

interface Moment {
  at: number;
  /** A worker is alive, which makes the days. */
  works: boolean;
}

const momentSql = (t: TableNames): string => `
select (extract(epoch from now()) * 1000)::numeric as at, exists (select from ${t.worker} where lease_until > now() and released_at is null) as works`;

/** How many rows are in the default partition, but for those of the days `told`. */
function straysSql(t: TableNames, told: readonly LedgerDay[]): string {
  const others = told.map(({ isOfDay }) => `not (${isOfDay})`).join(' and ') || 'true';
  return `select count(*)::int as strays from (select from ${defaultPartition(t).table} where ${others} limit ${mostCounted + 1}) stray`;
}

function missingFindings(missing: readonly LedgerDay[]): Finding[] {
  if (missing.length === 0) return [];
  const dates = missing.map(({ date }) => date);
  return [
    {
      code: 'doctor.missing-partition',
      severity: 'warning',
      sentence: `The ledger has no partition for ${dates.join(', ')}: rows of those days go to the default partition, and are deleted one by one. The role of the workers may not make tables, or somebody keeps the ledger locked.`,
      evidence: { days: dates },
      repair: bySql(
        missing
          .map(({ create, move, attach }) => ['begin', ...create, ...move, attach, 'commit;'].join('; '))
          .join(' '),
      ),
    },
  ];
}

function strayFindings(strays: number, t: TableNames): Finding[] {
  if (strays === 0) return [];
  const count = strays > mostCounted ? `more than ${mostCounted}` : String(strays);
  return [
    {
      code: 'doctor.default-partition',
      severity: 'warning',
      sentence: `The default partition of the ledger holds ${count} rows: of days that had no partition of their own when these were written.`,
      evidence: { table: defaultPartition(t).table, rows: count },
      repair: byHand(
        'They are deleted when they are old enough. New days get a partition while the role of the workers may create tables: grant create on the schema to it.',
      ),
    },
  ];
}
