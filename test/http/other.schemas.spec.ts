import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ChronisHttpModule } from '../../lib/http/index.js';
import { ChronisModule } from '../../lib/index.js';
import { schemaVersion } from '../../lib/typeorm/index.js';
import { HttpApp, platforms } from '../support/http.app.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

const schema = freshSchema('other_schemas');
const client = new pg.Client(databaseUrl());
let app: HttpApp | undefined;

beforeAll(async () => {
  await client.connect();
  const storage = newStorage({ schema });
  await storage.init();
  await storage.close();
});
afterEach(async () => {
  await app?.close();
  app = undefined;
});
afterAll(async () => {
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

describe.each(platforms)('an API on %s that looks at the schema of another release', (platform) => {
  const boot = async (version: number, compatible: number): Promise<void> => {
    const text = `update "${schema}".meta set value = $2 where key = $1`;
    await client.query(text, ['schema_version', version]);
    await client.query(text, ['compatible_with', compatible]);
    const imports = [
      ChronisHttpModule.forRoot({ readOnly: true }),
      ChronisModule.forRoot({
        ...{ log: false, autoStart: false, storage: newStorage({ schema, migrate: 'check' }) },
      }),
    ];
    app = await HttpApp.boot(platform, { imports });
  };
  /** All that is stored, and what it is stored in. */
  const stored = async (): Promise<unknown> => {
    const { rows: columns } = await client.query(
      `select table_name, column_name from information_schema.columns where table_schema = $1 order by 1, 2`,
      [schema],
    );
    const { rows: meta } = await client.query(`select * from "${schema}".meta order by 1`);
    const { rows: workers } = await client.query(`select id from "${schema}".worker`);
    return { columns, meta, workers };
  };

  test.each([
    [
      'the release before',
      schemaVersion - 1,
      1,
      /has schema version \d+, this release needs version \d+\. Start once with migrate: 'auto'/,
    ],
    [
      'a later one, which has changed what this one reads',
      schemaVersion + 2,
      schemaVersion + 1,
      /Update nestjs-chronis/,
    ],
  ])(
    'does not boot on that of %s, says what to do, and writes nothing',
    async (_, version, compatible, says) => {
      await expect(boot(version, compatible)).rejects.toThrow(says);
      const before = (await stored()) as { meta: { key: string; value: string }[] };
      expect(before.meta.find(({ key }) => key === 'schema_version')?.value).toBe(String(version));
      await expect(boot(version, compatible)).rejects.toThrow(says);
      expect(await stored()).toEqual(before);
    },
  );

  test('shows what there is on that of the next one, which has added to it, and writes nothing', async () => {
    await boot(schemaVersion + 1, schemaVersion);
    const before = await stored();
    for (const path of [
      'jobs',
      'runs',
      'attempts',
      'gaps',
      'audit',
      'queues',
      'workers',
      'statistics?from=2026-01-01&until=2026-01-02&by=hour',
      'health',
    ])
      expect([path, (await app!.send('GET', `/chronis/${path}`)).status]).toEqual([path, 200]);
    expect((await app!.send('POST', '/chronis/pauses', { body: { scope: { all: true } } })).status).toBe(405);
    expect(await stored()).toEqual(before);
  });
});
