import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StorageAdapter } from '../../lib/index.js';
import { chronisEntities } from '../../lib/typeorm/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('entities');
const entities = chronisEntities({ schema, tablePrefix: 'c_' });
let storage: StorageAdapter;
let dataSource: DataSource;

beforeAll(async () => {
  storage = newStorage({ schema, tablePrefix: 'c_' });
  await storage.init();
  dataSource = new DataSource({
    type: 'postgres',
    url: databaseUrl(),
    entities: Object.values(entities),
    synchronize: true,
  });
  await dataSource.initialize();
});

afterAll(async () => {
  await dataSource.query(`drop schema "${schema}" cascade`);
  await dataSource.destroy();
  await storage.close();
});

test('have exactly the columns of the tables, with the same types', async () => {
  for (const entity of Object.values(entities)) {
    const { tableName, ownColumns } = dataSource.getMetadata(entity);
    const declared = ownColumns.map(({ databaseName, type, isArray, isNullable }) => ({
      name: databaseName,
      type: isArray ? `${String(type)}[]` : String(type),
      nullable: isNullable,
    }));
    const stored = await dataSource.query<unknown[]>(
      `select attname as name, replace(format_type(atttypid, null), 'timestamp with time zone', 'timestamptz') as type,
         not attnotnull as nullable
       from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum`,
      [`"${schema}"."${tableName}"`],
    );
    expect(declared, tableName).toEqual(expect.arrayContaining(stored));
    expect(declared, tableName).toHaveLength(stored.length);
  }
});

test('cover every table but the bookkeeping of migrations', async () => {
  const rows = await dataSource.query<{ name: string }[]>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
    [schema],
  );
  const covered = Object.values(entities).map((entity) => dataSource.getMetadata(entity).tableName);
  expect(rows.map(({ name }) => name)).toEqual([...covered, 'c_meta'].toSorted());
});

test('read what the storage has written', async () => {
  const now = await storage.now();
  const job = {
    id: 'report',
    namespace: 'default',
    name: 'Report',
    handler: 'work',
    queue: 'default',
    priority: 5,
    timeZone: 'UTC',
    payload: { to: 'all' },
    metadata: { team: 'a' },
    policies: {},
    source: 'api' as const,
    app: null,
    definitionHash: 'h',
    nextAt: now + 60_000,
  };
  await storage.insertJobs([{ ...job, trigger: { type: 'cron', expression: '* * * * *' } }], 'raise');
  const at = new Date(now + 60_000).toISOString();
  await storage.insertJobs([{ ...job, id: 'once', trigger: { type: 'at', at } }], 'raise');

  const [stored] = await dataSource.getRepository(entities.job).findBy({ id: 'report' });
  expect(stored).toMatchObject({
    name: 'Report',
    triggerType: 'cron',
    payload: { to: 'all' },
    pausedAt: null,
  });
  const cursor = await dataSource.getRepository(entities.cursor).findOneByOrFail({ jobUid: stored!.uid });
  expect(cursor.nextAt).toEqual(new Date(now + 60_000));
  const run = await dataSource.getRepository(entities.run).findOneByOrFail({ jobId: 'once' });
  expect(run).toMatchObject({ origin: 'at', dueAt: new Date(now + 60_000), metadata: { team: 'a' } });
});
