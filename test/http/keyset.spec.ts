import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { HttpApp } from '../support/http.app.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('keyset');
const client = new pg.Client(databaseUrl());
const count = 1_000;
let app: HttpApp;

beforeAll(async () => {
  await client.connect();
  const chronis = { log: false as const, autoStart: false, allowUnknownHandler: true };
  const storage = newStorage({ schema });
  const imports = [ChronisHttpModule.forRoot(), ChronisModule.forRoot({ ...chronis, storage })];
  app = await HttpApp.boot('express', { imports });
  // Makes the days of the ledger.
  await storage.prune({ defaultMs: 86_400_000, byVerdict: {} });
});
afterAll(async () => {
  await app.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

const sql = (text: string, values: unknown[] = []) =>
  client.query(text.replaceAll('$.', `"${schema}".`), values);

/** To the microsecond: finer than what JavaScript and the cursor could tell apart if they went by the time alone. */
const instant = `date_trunc('minute', now()) - interval '5 minutes' + interval '123456 microseconds'`;

interface Listed {
  path: string;
  /** So many rows of one instant, `job_id` from j1 on. */
  insert: string;
  remove: string;
}

const lists: [name: string, Listed][] = [
  [
    'attempts',
    {
      path: 'attempts',
      insert: `insert into $.attempt (run_id, namespace, job_id, handler, queue, origin, nominal_at, attempt, fence, outcome, final, started_at, finished_at)
        select n, 'default', 'j' || n, 'work', 'default', 'at', ${instant}, 1, 1, 'succeeded', true, ${instant}, ${instant} from generate_series($1::int, $2::int) n`,
      remove: 'delete from $.attempt where job_id = any($1)',
    },
  ],
  [
    'the audit',
    {
      path: 'audit',
      insert: `insert into $.audit (at, action, actor, job_id, namespace, count) select ${instant}, 'pause', 'amy', 'j' || n, 'default', 1 from generate_series($1::int, $2::int) n`,
      remove: 'delete from $.audit where job_id = any($1)',
    },
  ],
  [
    'gaps',
    {
      path: 'gaps',
      insert: `insert into $.gap (job_uid, job_id, namespace, from_at, until_at, verdict, count, reason) select n, 'j' || n, 'default', ${instant}, ${instant}, 'missed', 1, 'misfire' from generate_series($1::int, $2::int) n`,
      remove: 'delete from $.gap where job_id = any($1)',
    },
  ],
  [
    'runs',
    {
      path: 'runs',
      insert: '',
      remove: `delete from $.run where job_id = any($1)`,
    },
  ],
];

test.each(lists)(
  'pages of %s have each of a thousand rows of one instant once, while others come and go',
  async (_, { path, insert, remove }) => {
    const write = async (first: number, last: number): Promise<void> => {
      if (insert !== '') return void (await sql(insert, [first, last]));
      const jobs = Array.from({ length: last - first + 1 }, (__, nth) => ({
        id: `j${first + nth}`,
        handler: 'work',
        at: new Date('2099-01-01'),
      }));
      await app.app.get(SchedulerService).createMany(jobs as never);
    };
    await write(1, count);
    const seen: string[] = [];
    const removed = new Set<string>();
    let cursor: string | null = '';
    for (let page = 0; cursor !== null; page++) {
      const { status, json } = await app.send(
        'GET',
        `/chronis/${path}?limit=37${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      expect(status, JSON.stringify(json)).toBe(200);
      seen.push(...json.items.map(({ jobId }: { jobId: string }) => jobId));
      cursor = json.nextCursor;
      // Of what was seen, and of what was not.
      const unseen = Array.from({ length: count }, (__, nth) => `j${nth + 1}`).find(
        (id) => !seen.includes(id) && !removed.has(id),
      );
      const going = [seen.at(-1)!, ...(page < 10 && unseen !== undefined ? [unseen] : [])];
      for (const id of going) removed.add(id);
      await sql(remove, [going]);
      await write(count + 1 + page * 3, count + 3 + page * 3);
    }
    const first = seen.filter((id) => Number(id.slice(1)) <= count);
    expect(new Set(seen).size).toBe(seen.length);
    const stayed = Array.from({ length: count }, (__, nth) => `j${nth + 1}`).filter((id) => !removed.has(id));
    expect(stayed.filter((id) => !first.includes(id))).toEqual([]);
    expect(first.length).toBeGreaterThanOrEqual(count - 10);
  },
);
