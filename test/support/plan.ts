import pg from 'pg';

/** `generic`: the plan that the server makes for a prepared statement, which knows no values. */
export type PlanMode = 'custom' | 'generic';
export const planModes: readonly PlanMode[] = ['custom', 'generic'];

/** How a statement is carried out. */
export interface Plan {
  indexes: Set<string>;
  /** Tables that are read from one end to the other. */
  scanned: Set<string>;
  /** Rows of tables that were looked at, those that were then dropped included. */
  touched: number;
  /** Pairs of rows that joins have compared for nothing. */
  compared: number;
  /** Pages of 8 KiB that were looked at, those of indexes included. */
  pages: number;
}

interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Rows Removed by Join Filter'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

/** Carries the statement out, takes back what it did, and tells how it was done. What it takes beyond the values that are given is null. */
export async function planOf(
  client: pg.Client,
  text: string,
  values: readonly unknown[],
  mode: PlanMode = 'custom',
): Promise<Plan> {
  const wanted = Math.max(...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
  const all = Array.from({ length: wanted }, (_, i) => values[i] ?? null);
  const explain = 'explain (analyze, buffers, timing off, format json)';
  await client.query('begin');
  try {
    if (mode === 'custom') return planIn(await client.query(`${explain} ${text}`, all));
    await client.query(`set local plan_cache_mode = force_generic_plan; prepare statement as ${text}`);
    return planIn(await client.query(`${explain} execute statement (${all.map(literal).join(',')})`));
  } finally {
    await client.query('rollback; deallocate all');
  }
}

function literal(value: unknown): string {
  if (value === null) return 'null';
  const text = Array.isArray(value)
    ? `{${value.map((item) => item ?? 'null').join(',')}}`
    : `${value as string | number}`;
  return pg.escapeLiteral(text);
}

function planIn({ rows }: pg.QueryResult<{ 'QUERY PLAN': { Plan: PlanNode }[] }>): Plan {
  const root = rows[0]!['QUERY PLAN'][0]!.Plan;
  const plan: Plan = { indexes: new Set(), scanned: new Set(), touched: 0, compared: 0, pages: 0 };
  plan.pages = root['Shared Hit Blocks'] + root['Shared Read Blocks'];
  visit(root, plan);
  return plan;
}

function visit(node: PlanNode, plan: Plan): void {
  if (node['Index Name']) plan.indexes.add(node['Index Name']);
  if (node['Node Type'] === 'Seq Scan') plan.scanned.add(node['Relation Name']!);
  if (node['Node Type'].endsWith('Scan') && node['Relation Name']) {
    const dropped = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
    plan.touched += (node['Actual Rows'] + dropped) * node['Actual Loops'];
  }
  // By loop, as all that is removed.
  plan.compared += (node['Rows Removed by Join Filter'] ?? 0) * node['Actual Loops'];
  for (const child of node.Plans ?? []) visit(child, plan);
}
