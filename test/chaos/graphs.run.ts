import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { ChronisModule, DefinitionService } from '../../lib/index.js';
import { typeOrmStorage } from '../../lib/typeorm/index.js';
import { SeededRandom } from '../simulation/seeded.random.js';
import { randomGraph, type Graph } from './graph.plan.js';
import { Pack } from './pack.js';
import { pause } from './pause.js';

export interface GraphsOptions {
  url: string;
  schema: string;
  /** The compiled worker. */
  workerFile: string;
  graphs: number;
  /** Of a graph, at most. */
  steps: number;
  workers: number;
  seed: number;
  leaseMs: number;
  /** Between two faults. */
  everyMs: number;
  /** How long a step takes, at most. */
  stepMs: number;
  /** The longest time that all may take. */
  withinMs: number;
  tell: (line: string) => void;
}

export interface GraphsReport {
  violations: string[];
  figures: Record<string, number>;
}

/** Two processes of one machine tell the time by the same clock, each as it last asked the server for it. */
const clockSlackMs = 25;

/**
 * Random graphs under `kill -9` and under SIGSTOP for longer than the lease: every workflow ends, as a model that knows nothing of runs and processes says, with each step as that says, its result unchanged; no step has
 * begun before its parents had ended, and each occurrence of a step is on record once.
 */
export async function playGraphs(options: GraphsOptions): Promise<GraphsReport> {
  const { url, schema, graphs: count, steps, seed, tell } = options;
  const random = new SeededRandom(seed);
  const graphs = Array.from({ length: count }, () => randomGraph(random, steps));
  const client = new pg.Client(url);
  await client.connect();
  const storage = typeOrmStorage({ url, schema });
  @Module({ imports: [ChronisModule.forRoot({ storage, app: 'graphs', autoStart: false, log: false })] })
  class ClientModule {}
  const app = await NestFactory.createApplicationContext(ClientModule, { logger: false });
  const env = {
    DATABASE_URL: url,
    SCHEMA: schema,
    LEASE_MS: String(options.leaseMs),
    STEP_MS: String(options.stepMs),
  };
  const pack = new Pack({ ...options, env });
  try {
    await begin(app.get(DefinitionService), graphs);
    await pack.begin();
    const harming = pack.harm();
    const giveUpAt = Date.now() + options.withinMs;
    for (let left = count; left > 0 && Date.now() < giveUpAt; await pause(500)) {
      const ended = `select count(*)::int as count from "${schema}".flow where ended_at is not null`;
      left = count - (await client.query<{ count: number }>(ended)).rows[0]!.count;
      tell(`${left} of ${count} graphs go on, ${pack.kills} kills, ${pack.freezes} freezes`);
    }
    pack.isOver = true;
    await harming;
    await pack.started();
    return await judge(client, schema, graphs, pack);
  } finally {
    await pack.end();
    await app.close();
    await client.end();
  }
}

async function begin(definitions: DefinitionService, graphs: readonly Graph[]): Promise<void> {
  const policies = { maxRetries: 2, backoff: 50, maxLost: 1_000 };
  for (const [nth, { steps }] of graphs.entries()) {
    const planned = steps.map(({ after, need, otherwise, ...step }) => ({
      ...step,
      ...policies,
      ...(after.length > 0 && { after, need, otherwise }),
    }));
    await definitions.define({
      name: `graph-${nth}`,
      steps: planned,

      allowUnknownHandler: true,
    });
    await definitions.start(`graph-${nth}`, { allowUnknownHandler: true });
  }
}

interface StepRow {
  workflow: string;
  name: string;
  nth: number;
  verdict: string | null;
  result: unknown;
  finals: number;
}

async function judge(
  client: pg.Client,
  schema: string,
  graphs: readonly Graph[],
  { kills, freezes }: Pack,
): Promise<GraphsReport> {
  const violations: string[] = [];
  const t = (table: string): string => `"${schema}".${table}`;
  const { rows: flows } = await client.query<{
    workflow: string;
    verdict: string | null;
    outcome: string | null;
  }>(
    `select f.workflow, f.verdict, (select outcome from ${t('attempt')} a where a.run_id = f.run_id and a.final) as outcome from ${t('flow')} f`,
  );
  for (const [nth, { verdict }] of graphs.entries()) {
    const found = flows.filter(({ workflow }) => workflow === `graph-${nth}`);
    const said = found.map((flow) => `${flow.verdict}, its run ${flow.outcome}`).join(' and ');
    if (said !== `${verdict}, its run ${verdict}`)
      violations.push(`graph-${nth} is ${said || 'not there'}, and should be ${verdict}`);
  }
  const { rows: steps } = await client.query<StepRow>(
    `select f.workflow, s.name, s.nth, s.verdict, s.result,
      (select count(*)::int from ${t('attempt')} a where a.run_id = s.run_id and a.final) as finals
     from ${t('flow_step')} s join ${t('flow')} f on f.id = s.flow order by f.workflow, s.name, s.nth`,
  );
  const byGraph = grouped(steps);
  for (const [nth, graph] of graphs.entries())
    violations.push(...stepsOf(`graph-${nth}`, graph, byGraph.get(`graph-${nth}`) ?? []));
  violations.push(...(await early(client, t)));
  const { rows: lost } = await client.query<{ count: number }>(
    `select count(*)::int as count from ${t('attempt')} where outcome = 'lost'`,
  );
  return {
    violations,
    figures: { graphs: graphs.length, steps: steps.length, kills, freezes, 'attempts lost': lost[0]!.count },
  };
}

function grouped(steps: readonly StepRow[]): Map<string, StepRow[]> {
  const groups = new Map<string, StepRow[]>();
  for (const step of steps) groups.set(step.workflow, [...(groups.get(step.workflow) ?? []), step]);
  return groups;
}

function stepsOf(graph: string, { steps, expected }: Graph, rows: readonly StepRow[]): string[] {
  const violations: string[] = [];
  for (const { name, map } of steps) {
    const { state, result } = expected.get(name)!;
    const instances = rows.filter((row) => row.name === name && row.nth >= 0);
    const row = rows.find((each) => each.name === name && each.nth < 0);
    const found = row === undefined ? 'not there' : (row.verdict ?? 'blocked');
    if (found !== state) violations.push(`${graph}: ${name} is ${found}, and should be ${state}`);
    const got = map
      ? instances.toSorted((one, other) => one.nth - other.nth).map((each) => each.result)
      : row?.result;
    const wanted = map ? (result ?? []) : result;
    if (JSON.stringify(got ?? null) !== JSON.stringify(wanted ?? null))
      violations.push(
        `${graph}: ${name} has ${JSON.stringify(got)}, and should have ${JSON.stringify(wanted)}`,
      );
  }
  for (const { name, nth, verdict, finals } of rows) {
    const isMap = steps.find((step) => step.name === name)!.map && nth < 0;
    const most = isMap || verdict === null ? 0 : 1;
    // What is skipped or cancelled by what came before it has never run.
    const least = verdict === 'succeeded' ? most : 0;
    if (finals > most || finals < least)
      violations.push(`${graph}: ${name} ${nth} has ${finals} ends on record`);
  }
  return violations;
}

/** By the ledger: no step has begun before as many of its parents as it needs had ended. */
async function early(client: pg.Client, t: (table: string) => string): Promise<string[]> {
  const { rows } = await client.query<{ workflow: string; name: string }>(
    `select f.workflow, s.name from ${t('flow_step')} s join ${t('flow')} f on f.id = s.flow
     join lateral (select min(started_at) as at from ${t('attempt')} a where a.run_id = s.run_id) began on began.at is not null
     where (select count(*) from ${t('flow_edge')} e join ${t('flow_step')} p on p.id = e.parent
       where e.child = s.id and p.ended_at <= began.at + interval '${clockSlackMs} ms') < s.need`,
  );
  return rows.map(({ workflow, name }) => `${workflow}: ${name} has begun before its parents had ended`);
}
