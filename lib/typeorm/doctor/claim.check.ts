import { claimSql } from '../sql/claim.sql.js';
import { byHand, bySql, type Check, type Ground } from './check.js';
import type { Finding, Repair } from './diagnosis.js';
import { repairOf, settingsSql, type Setting } from './setting.repair.js';

/** Of a table that is smaller the server rightly reads all. */
const leastRuns = 5_000;
const waysByIndex = ['enable_bitmapscan', 'enable_indexonlyscan', 'enable_indexscan'];

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

interface Circumstances {
  runs: number;
  queue: string | null;
  handler: string | null;
  app: string | null;
}

/** Whether a claim, which each worker makes several times a second, goes by its index. Nothing is claimed. */
export const claimCheck: Check = {
  name: 'plan of the claim',
  look: async ({ session, t }: Ground) => {
    const { runs, queue, handler, app } = await session.row<Circumstances>(
      `select c.reltuples::float8::numeric as runs, r.queue, r.handler, r.app
       from pg_class c left join lateral (select queue, handler, app from ${t.run} where due_at is not null limit 1) r on true
       where c.oid = '${t.run}'::regclass`,
    );
    if (runs < leastRuns || queue === null) return [];
    const [{ 'QUERY PLAN': plan }] = (await session.rows<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `explain (format json) ${claimSql(t, 'one')}`,
      [null, 'doctor', [queue], [handler], 10, 0, app, null],
    )) as [{ 'QUERY PLAN': { Plan: PlanNode }[] }];
    const scanned = fullyRead(plan[0]!.Plan).filter((table) => table === `${t.prefix}run`);
    if (scanned.length === 0) return [];
    const ways = await session.rows<Setting>(settingsSql(waysByIndex));
    return claimFindings(
      runs,
      ways.filter(({ value }) => value === 'off'),
      t.run,
    );
  },
};

/** Tables that are read from one end to the other. */
export function fullyRead(node: PlanNode): string[] {
  const own = node['Node Type'] === 'Seq Scan' ? [node['Relation Name']!] : [];
  return [...own, ...(node.Plans ?? []).flatMap(fullyRead)];
}

export function claimFindings(runs: number, switchedOff: readonly Setting[], table: string): Finding[] {
  const off = switchedOff.map(({ name }) => name);
  const repairs = switchedOff.map((setting) => repairOf(setting, 'on'));
  const text = repairs.map((repair) => repair.text).join(' ');
  const repair: Repair =
    off.length === 0
      ? bySql(`analyze ${table};`)
      : repairs.every(({ by }) => by === 'sql')
        ? bySql(text)
        : byHand(text);
  const why =
    off.length === 0
      ? 'its statistics may be old'
      : `${off.join(' and ')} ${off.length === 1 ? 'is' : 'are'} off`;
  return [
    {
      code: 'doctor.claim-plan',
      severity: 'warning',
      sentence: `A claim reads all ${runs} runs from one end to the other, several times a second: ${why}.`,
      evidence: { runs, settingsOff: off },
      repair,
    },
  ];
}
