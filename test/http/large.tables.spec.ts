import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { allRoutes } from '../../lib/http/routes/all.routes.js';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { HttpApp } from '../support/http.app.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

interface Asked {
  route: string;
  path: string;
}
interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

// What the bench asks of tables with millions of rows: `npm run bench -- operate`.
const { requestsFor } = (await import(new URL('../../bench/operate/requests.mjs', import.meta.url).href)) as {
  requestsFor: (found: object) => Asked[];
};
const found = {
  job: 'report',
  middleRun: '5',
  middleGap: '5',
  fingerprint: '0123456789abcdef',
  now: Date.now(),
};
const requests = requestsFor({ ...found, run: '6', failed: '6', logged: '6' }).filter(({ path }) =>
  path.startsWith('/chronis/'),
);
/** Those that grow with the jobs, the runs and the time. */
const large = /^(job|job_stat|cursor|run|attempt.*|gap|audit|run_log|run_step|stat_.*|flow.*)$/;
/** Of a workflow, or of a bulk action, of which there is none. */
const unasked = ['getWorkflow', 'getWorkflowGraph', 'getBulkAction', 'streamChanges'];
/** What the process knows itself. */
const withoutStatements = new Set(['/chronis/status', '/chronis/openapi.json']);
const schema = freshSchema('large_tables');
const client = new pg.Client(databaseUrl());
let sent: { text: string; values: unknown[] }[] = [];
let app: HttpApp;

beforeAll(async () => {
  await client.connect();
  const query = Reflect.get(pg.Client.prototype, 'query') as (...given: unknown[]) => unknown;
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    const [config, values] = given as [string | { text: string; values?: unknown[] }, unknown];
    const [text, those] =
      typeof config === 'string' ? [config, values] : [config.text, config.values ?? values];
    if (this !== client) sent.push({ text, values: Array.isArray(those) ? those : [] });
    return Reflect.apply(query, this, given);
  } as never);
  const chronis = { log: false as const, autoStart: false, allowUnknownHandler: true };
  const imports = [
    ChronisHttpModule.forRoot(),
    ChronisModule.forRoot({ ...chronis, storage: newStorage({ schema }) }),
  ];
  app = await HttpApp.boot('express', { imports });
  const scheduler = app.app.get(SchedulerService);
  scheduler.registerHandler('fail', () => {
    throw new TypeError('no');
  });
  await scheduler.schedule('report', { id: 'report', every: '1h' });
  await scheduler.schedule('fail', { id: 'later-70', in: 0, keep: '1h' });
  const [run] = (await scheduler.getRuns({ jobId: 'later-70' })).items;
  await scheduler.start();
  await scheduler.waitForRun(run!.id);
  await scheduler.stop();
  // Then a table is read as a whole only where there is no other way.
  await client.query('set enable_seqscan = off');
});
afterAll(async () => {
  vi.restoreAllMocks();
  await app.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

function scanned({ 'Node Type': type, 'Relation Name': table, Plans: plans = [] }: PlanNode): string[] {
  return [...(type === 'Seq Scan' ? [table!] : []), ...plans.flatMap(scanned)];
}

async function planOf({ text, values }: { text: string; values: unknown[] }): Promise<PlanNode> {
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>({
    text: `explain (format json) ${text}`,
    values,
  });
  return rows[0]!['QUERY PLAN'][0].Plan;
}

test('each route that looks is among what the bench asks', () => {
  const looking = allRoutes.filter(({ method }) => method === 'GET').map(({ name }) => name);
  expect([...new Set([...requests.map(({ route }) => route), ...unasked])].toSorted()).toEqual(
    looking.toSorted(),
  );
});

test.each(requests.map(({ path }) => [decodeURIComponent(path), path]))(
  'GET %s reads no large table from one end to the other',
  async (_, path) => {
    sent = [];
    const { status, body } = await app.get(path);
    // There is no run 6, but it is looked for.
    expect([200, 404], body).toContain(status);
    const statements = sent.filter(({ text }) => /^\s*(select|with)\b/i.test(text));
    if (!withoutStatements.has(path)) expect(statements).not.toEqual([]);
    const scans: string[] = [];
    for (const statement of statements)
      for (const table of scanned(await planOf(statement)))
        if (large.test(table)) scans.push(`${table}: ${statement.text}`);
    expect(scans).toEqual([]);
  },
);
