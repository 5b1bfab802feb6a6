import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { StorageError, type StorageAdapter } from '../../lib/index.js';
import { migrationSql, schemaVersion, type TypeOrmStorageOptions } from '../../lib/typeorm/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

/** The last version after which tables that were there are changed; the steps since have tables of their own. */
const beforeChanges = 3;

const client = new pg.Client(databaseUrl());
const opened: StorageAdapter[] = [];
const roles: string[] = [];
let schema: string;

beforeAll(() => client.connect());
afterAll(() => client.end());

beforeEach(() => {
  schema = freshSchema('migrations');
});

afterEach(async () => {
  for (const storage of opened.splice(0)) await storage.close();
  await client.query(`drop schema if exists "${schema}" cascade`);
  for (const role of roles.splice(0)) await client.query(`drop role ${role}`);
});

/** The URL for a new role, which has been given its rights by these statements. */
async function roleThat(statements: string): Promise<string> {
  const role = freshSchema('tenant');
  await client.query(`create role ${role} login; ${statements.replaceAll('ROLE', role)}`);
  roles.push(role);
  const url = new URL(databaseUrl());
  url.username = role;
  return url.href;
}

async function start(options: TypeOrmStorageOptions = {}): Promise<StorageAdapter> {
  const storage = newStorage({ schema, ...options });
  opened.push(storage);
  await storage.init();
  return storage;
}

async function tables(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'select tablename as name from pg_tables where schemaname = $1 order by 1',
    [schema],
  );
  return rows.map(({ name }) => name);
}

async function setMeta(key: string, value: number): Promise<void> {
  await client.query(`update "${schema}".meta set value = $2 where key = $1`, [key, value]);
}

describe('migrate: auto', () => {
  test('makes the tables of a fresh database, once for eight starters at once', async () => {
    const storages = await Promise.all(Array.from({ length: 8 }, () => start()));
    for (const storage of storages) expect(await storage.countJobs({})).toBe(0);
    const { rows } = await client.query(`select key, value from "${schema}".meta order by key`);
    expect(rows.map(({ key }) => key)).toEqual(['compatible_with', 'install_id', 'schema_version']);
    expect(rows[2].value).toBe(String(schemaVersion));
  });

  test('changes nothing at the second start', async () => {
    await start();
    const before = await tables();
    const { rows } = await client.query(`select * from "${schema}".meta`);
    await start();
    expect(await tables()).toEqual(before);
    expect((await client.query(`select * from "${schema}".meta`)).rows).toEqual(rows);
  });

  test('keeps two installations apart that share a schema', async () => {
    const one = await start({ tablePrefix: 'one_' });
    const two = await start({ tablePrefix: 'Two_' });
    const lock = await one.lock.acquire('key', 'me', 1_000);
    expect(lock).not.toBeNull();
    expect(await two.lock.inspect('key')).toBeNull();
    const names = await tables();
    expect(names.filter((name) => !/^(one|Two)_/.test(name))).toEqual([]);
    expect(names).toContain('one_job');
    expect(names).toContain('Two_job');
  });

  test('needs no right on the database where the schema is there', async () => {
    const url = await roleThat(`create schema "${schema}" authorization ROLE`);
    const storage = await start({ url });
    expect(await storage.countJobs({})).toBe(0);
  });
});

describe('migrate: check', () => {
  test('refuses a database without tables, and says what to do', async () => {
    const refused = start({ migrate: 'check' });
    await expect(refused).rejects.toThrow(StorageError);
    await expect(refused).rejects.toThrow(
      `The schema "${schema}" has no tables of Chronis, this release needs version ${schemaVersion}. Start once with migrate: 'auto', or apply what migrationSql() returns.`,
    );
    expect(await tables()).toEqual([]);
  });

  test('accepts what migrationSql() makes', async () => {
    await client.query(migrationSql({ schema, tablePrefix: 'x_' }));
    const storage = await start({ migrate: 'check', tablePrefix: 'x_' });
    expect(await storage.countJobs({})).toBe(0);
  });

  test('works with a role that may not change tables: the ledger then has no partitions by day', async () => {
    await client.query(migrationSql({ schema }));
    const url = await roleThat(
      `grant usage on schema "${schema}" to ROLE; grant select, insert, update, delete on all tables in schema "${schema}" to ROLE`,
    );
    const storage = await start({ url, migrate: 'check' });
    expect(await storage.prune({ defaultMs: 1_000, byVerdict: {} })).toMatchObject({ more: false });
    expect((await tables()).filter((name) => /^attempt_\d/.test(name))).toEqual([]);
  });
});

describe('rights that are missing', () => {
  const everything = `select, insert, update, delete on all tables in schema`;

  async function refusal(options: TypeOrmStorageOptions): Promise<string> {
    const error: unknown = await start(options).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StorageError);
    expect((error as StorageError).cause).toBeDefined();
    return (error as StorageError).message;
  }

  const roleOf = (url: string): string => new URL(url).username;

  test('to make the schema: says which, and the way without', async () => {
    const url = await roleThat('select 1');
    const { database } = client;
    expect(await refusal({ url })).toBe(
      `The role ${roleOf(url)} may not make the tables in the schema "${schema}": permission denied for database ${database}. ` +
        `Let it (grant create on database ${database} to ${roleOf(url)}), or apply what migrationSql() returns by a role that may, and start with migrate: 'check'.`,
    );
    expect(await tables()).toEqual([]);
  });

  test('to make tables in the schema', async () => {
    await client.query(`create schema "${schema}"`);
    const url = await roleThat(`grant usage on schema "${schema}" to ROLE`);
    expect(await refusal({ url })).toContain(
      `permission denied for schema ${schema}. Let it (grant usage, create on schema "${schema}" to ${roleOf(url)}), or apply`,
    );
  });

  test('to change tables of an earlier version: their owner is to do that', async () => {
    await start();
    await setMeta('schema_version', beforeChanges);
    const url = await roleThat(
      `grant usage on schema "${schema}" to ROLE; grant ${everything} "${schema}" to ROLE`,
    );
    expect(await refusal({ url })).toMatch(
      new RegExp(
        `^The role .* may not bring the tables in the schema "${schema}" from version ${beforeChanges} to ${schemaVersion}: must be owner of .*\\. ` +
          `Apply what migrationSql\\(\\{ from: ${beforeChanges} \\}\\) returns by their owner, and start with migrate: 'check'\\.$`,
      ),
    );
  });

  test.each(['auto', 'check'] as const)('to use the tables, with migrate: %s', async (migrate) => {
    await client.query(migrationSql({ schema }));
    const url = await roleThat('select 1');
    const role = roleOf(url);
    expect(await refusal({ url, migrate })).toBe(
      `The role ${role} may not use the tables in the schema "${schema}": permission denied for schema ${schema}. ` +
        `Let it: grant usage on schema "${schema}" to ${role}; grant ${everything} "${schema}" to ${role}.`,
    );
    await client.query(`grant usage on schema "${schema}" to ${role}`);
    expect(await refusal({ url, migrate })).toContain(
      `permission denied for table meta. Let it: grant usage`,
    );
  });

  const lacking = async (options: TypeOrmStorageOptions): Promise<string> => {
    const refused = start(options);
    await expect(refused).rejects.toThrow(StorageError);
    return refused.then(String, ({ message }: Error) => message);
  };

  test.each(['auto', 'check'] as const)(
    'to delete only, with migrate: %s: the start names the role, the tables and the grant',
    async (migrate) => {
      await client.query(migrationSql({ schema, tablePrefix: 'x_' }));
      const url = await roleThat(
        `grant usage on schema "${schema}" to ROLE; grant ${everything} "${schema}" to ROLE; revoke delete on "${schema}".x_run, "${schema}".x_attempt_default from ROLE`,
      );
      const role = roleOf(url);
      const missing = `delete on table ${schema}.x_attempt_default, ${schema}.x_run`;
      expect(await lacking({ url, migrate, tablePrefix: 'x_' })).toBe(
        `The role ${role} may not do all that is needed with the tables in the schema "${schema}": it lacks ${missing}. Let it: grant ${missing} to ${role}.`,
      );
      await client.query(`grant ${missing} to ${role}`);
      expect(await (await start({ url, migrate, tablePrefix: 'x_' })).countJobs({})).toBe(0);
    },
  );

  const rights = ['select', 'insert', 'update', 'delete'];
  const allTables = ['attempt', 'cursor', 'gap', 'job', 'job_stat', 'lock', 'meta'];
  allTables.push(
    'audit',
    'binary',
    'definition',
    'flow',
    'flow_edge',
    'flow_step',
    'pause',
    'pause_end',
    'release',
    'run',
  );
  allTables.push('definition_history', 'flow_history', 'flow_edge_history', 'flow_step_history');
  allTables.push('stat_minute', 'stat_hour', 'stat_day', 'run_log', 'run_progress', 'overdue', 'bulk_action');
  allTables.push('run_signal', 'run_step', 'run_wait', 'worker', 'attempt_default');

  test('of any kind on any table: each is named with its grant, and with all of them it starts', async () => {
    await client.query(migrationSql({ schema }));
    const url = await roleThat(
      `grant usage on schema "${schema}" to ROLE; grant select on "${schema}".meta to ROLE`,
    );
    const message = await lacking({ url, migrate: 'check' });
    const lacked = [
      ...message
        .split('it lacks ')[1]!
        .split('. Let it')[0]!
        .matchAll(/(?<=[ ,.])\w+\."?(\w+)/g),
    ];
    expect(lacked.map(([, table]) => table).toSorted()).toEqual(allTables.toSorted());
    expect(message).toContain(`${rights.slice(1).join(', ')} on table ${schema}.meta`);
    expect(message).toContain(`${rights.join(', ')} on table ${schema}.attempt, `);
    await client.query(message.split('Let it: ')[1]!.replace(/\.$/, ''));
    const storage = await start({ url, migrate: 'check' });
    expect(await storage.prune({ defaultMs: 1_000, byVerdict: {} })).toMatchObject({ more: false });
  });

  test.each(['auto', 'check'] as const)(
    'to see all rows, with migrate: %s: row level security is refused with the fix, and one with a policy for everything is not',
    async (migrate) => {
      await client.query(migrationSql({ schema }));
      const url = await roleThat(
        `grant usage on schema "${schema}" to ROLE; grant ${everything} "${schema}" to ROLE`,
      );
      const role = roleOf(url);
      const enable = ['cursor', 'meta'].map(
        (name) => `alter table ${schema}.${name} enable row level security`,
      );
      await client.query(enable.join('; '));
      expect(await lacking({ url, migrate })).toBe(
        `The role ${role} does not see all rows of ${schema}.cursor, ${schema}.meta: row level security is on for them, and its policies do not let the role do everything with every row. ` +
          `Let it: alter role ${role} bypassrls; or turn it off: alter table ${schema}.cursor disable row level security; alter table ${schema}.meta disable row level security.`,
      );
      await client.query(
        `create policy own on ${schema}.cursor to ${role} using (true); create policy part on ${schema}.meta for select using (true)`,
      );
      expect(await lacking({ url, migrate })).toContain(`all rows of ${schema}.meta: row`);
      await client.query(
        `drop policy part on ${schema}.meta; create policy every on ${schema}.meta using (true)`,
      );
      for (const [what, condition] of [
        ['select', 'using (key is null)'],
        ['insert', 'with check (false)'],
      ] as const) {
        await client.query(
          `create policy less on ${schema}.lock as restrictive for ${what} to ${role} ${condition}; create policy own on ${schema}.lock using (true); alter table ${schema}.lock enable row level security`,
        );
        expect(await lacking({ url, migrate })).toContain(`all rows of ${schema}.lock: row`);
        await client.query(`drop policy less on ${schema}.lock; drop policy own on ${schema}.lock`);
      }
      await client.query(
        `create policy own on ${schema}.lock using (true); create policy less on ${schema}.lock as restrictive using (true)`,
      );
      await client.query(`create policy other on ${schema}.lock as restrictive to pg_monitor using (false)`);
      expect(await (await start({ url, migrate })).countJobs({})).toBe(0);
    },
  );

  test('on the sequence of the ids of runs, as after a restore without privileges', async () => {
    await client.query(migrationSql({ schema }));
    await client.query(`revoke usage on sequence "${schema}".run_number from public`);
    const url = await roleThat(
      `grant usage on schema "${schema}" to ROLE; grant ${everything} "${schema}" to ROLE`,
    );
    const missing = `usage on sequence ${schema}.run_number`;
    const message = await lacking({ url, migrate: 'check' });
    expect(message).toContain(`it lacks ${missing}. Let it: grant ${missing} to ${roleOf(url)}.`);
  });

  test('with migrate: off: the call that needs it says so', async () => {
    await client.query(migrationSql({ schema }));
    const url = await roleThat(
      `grant usage on schema "${schema}" to ROLE; grant select on "${schema}".meta to ROLE`,
    );
    const storage = await start({ url, migrate: 'off' });
    await expect(storage.countJobs({})).rejects.toThrow(
      /^PostgreSQL: permission denied for table \w+\. The role needs usage on the schema, and select, insert, update and delete on all tables in it \(grant …\)\.$/,
    );
  });
});

describe('migrate: off', () => {
  test('without tables: the first call says how to get them', async () => {
    const storage = await start({ migrate: 'off' });
    await expect(storage.countJobs({})).rejects.toThrow(
      /^PostgreSQL: relation ".*" does not exist\. The tables are gone, or not there yet, or are of another version: start once with migrate: 'auto' or 'check', which brings what is missing or says it by name /,
    );
  });

  test('on tables that were dropped meanwhile, the same', async () => {
    const storage = await start();
    await client.query(`drop schema "${schema}" cascade`);
    await expect(storage.countJobs({})).rejects.toThrow(/The tables are gone, or not there yet/);
  });
});

describe('tables that are gone though their version is there', () => {
  test.each(['auto', 'check'] as const)(
    'are named at the start, with migrate: %s, and the way that is given works',
    async (migrate) => {
      await start({ tablePrefix: 'x_' });
      await client.query(`drop table "${schema}".x_run, "${schema}".x_attempt_default cascade`);
      const refused = start({ migrate, tablePrefix: 'x_' });
      await expect(refused).rejects.toThrow(StorageError);
      const { message } = await refused.then(
        () => new Error('started'),
        (error: Error) => error,
      );
      expect(message).toContain(
        `The schema "${schema}" is at version ${schemaVersion}, but these of its tables are gone: ${schema}.x_attempt_default, ${schema}.x_run, ${schema}.x_run_number. Restore them from a backup.`,
      );
      await client.query(/\((drop table .+ cascade)\)/.exec(message)![1]!);
      const storage = await start({ tablePrefix: 'x_' });
      expect(await storage.countJobs({})).toBe(0);
    },
  );
});

test('where only the default partition of the ledger is gone, a start says how to make an empty one', async () => {
  await start({ tablePrefix: 'x_' });
  await client.query(`drop table "${schema}".x_attempt_default`);
  const { message } = await start({ tablePrefix: 'x_' }).then(
    () => new Error('started'),
    (error: Error) => error,
  );
  expect(message).not.toContain('drop');
  await client.query(/by hand: (create table .+? full;)/.exec(message)![1]!);
  const storage = await start({ tablePrefix: 'x_' });
  expect(await storage.countJobs({})).toBe(0);
});

describe('where the default partition of the ledger is no part of it', () => {
  const refusalOf = (migrate: 'auto' | 'check'): Promise<string> =>
    start({ tablePrefix: 'x_', migrate }).then(
      () => 'started',
      (error: Error) => {
        expect(error).toBeInstanceOf(StorageError);
        return error.message;
      },
    );

  test.each(['auto', 'check'] as const)(
    'as it was detached, a start says what attaches it, with migrate: %s',
    async (migrate) => {
      await start({ tablePrefix: 'x_' });
      await client.query(`alter table "${schema}".x_attempt detach partition "${schema}".x_attempt_default`);
      const message = await refusalOf(migrate);
      expect(message).toMatch(/x_attempt_default is not the default partition of the ledger.*chronis doctor/);
      await client.query(/by hand: (alter table .+? default;)/.exec(message)![1]!);
      const storage = await start({ tablePrefix: 'x_', migrate });
      expect(await storage.countJobs({})).toBe(0);
    },
  );

  test('as another table has its name, a start is refused too', async () => {
    await start({ tablePrefix: 'x_' });
    await client.query(
      `alter table "${schema}".x_attempt_default rename to x_others; create table "${schema}".x_attempt_default (like "${schema}".x_attempt)`,
    );
    expect(await refusalOf('check')).toMatch(/x_attempt_default is not the default partition of the ledger/);
  });

  test('as it was renamed, the statements of the doctor are pointed at', async () => {
    await start({ tablePrefix: 'x_' });
    await client.query(`alter table "${schema}".x_attempt_default rename to x_others`);
    expect(await refusalOf('check')).toMatch(
      /is gone: .*x_attempt_default.*Where that is refused.*chronis doctor/,
    );
  });
});

describe('names that are taken by tables of the application', () => {
  test.each(['auto', 'check'] as const)('are named with the ways out, with migrate: %s', async (migrate) => {
    await client.query(`create schema "${schema}"; create table "${schema}".job (id int)`);
    await expect(start({ migrate })).rejects.toThrow(
      `These are there already, and are not of Chronis, as "${schema}"."meta" is not there: "${schema}"."job". Give Chronis a schema of its own, such as schema: 'chronis', or names that are free, such as tablePrefix: 'chronis_'.`,
    );
    const storage = await start({ tablePrefix: 'chronis_' });
    expect(await storage.countJobs({})).toBe(0);
  });

  test.each([
    ['a table meta of another form', 'create table meta (name text)', 'column "key" does not exist'],
    ['a table meta of the same form', 'create table meta (key text, value text)', '"meta" has no version'],
    ['an index', 'create table t (id int); create index job_stat on t (id)', '"job_stat"'],
    ['a view', 'create view jobs_view as select 1', 'relation "jobs_view" already exists'],
  ])('%s', async (_, statements, said) => {
    await client.query(`create schema "${schema}"; set search_path to "${schema}"; ${statements}`);
    await client.query('reset search_path');
    const refused = start();
    await expect(refused).rejects.toThrow(said);
    await expect(refused).rejects.toThrow(/Give Chronis a schema of its own.*tablePrefix: 'chronis_'/);
  });
});

describe('a schema of another release', () => {
  test.each(['auto', 'check'] as const)('is refused with migrate: %s when it is too new', async (migrate) => {
    await start();
    await setMeta('schema_version', schemaVersion + 2);
    await setMeta('compatible_with', schemaVersion + 1);
    await expect(start({ migrate })).rejects.toThrow(
      /is at version \d+, which this release .* Update nestjs-chronis/,
    );
  });

  test.each(['auto', 'check'] as const)(
    'is accepted with migrate: %s when it is newer but compatible',
    async (migrate) => {
      await start();
      await setMeta('schema_version', schemaVersion + 1);
      await setMeta('compatible_with', schemaVersion);
      expect(await (await start({ migrate })).countJobs({})).toBe(0);
      const { rows } = await client.query(`select value from "${schema}".meta where key = 'schema_version'`);
      expect(rows).toEqual([{ value: String(schemaVersion + 1) }]);
    },
  );

  test('before that of programs gets their table, and nobody waits for it', async () => {
    await (await start()).close();
    await client.query(
      `drop index "${schema}".job_late; drop table "${schema}".overdue, "${schema}".bulk_action, "${schema}".binary, "${schema}".audit, "${schema}".pause_end, "${schema}".run_log, "${schema}".run_progress, "${schema}".stat_minute, "${schema}".stat_hour, "${schema}".stat_day; alter table "${schema}".worker drop column slots, drop column clock_offset_ms, drop column loop_lag_ms, drop column given_up; alter table "${schema}".run drop column last_fingerprint, drop column trace_parent, drop column last_trace; alter table "${schema}".flow drop column trace, drop column place; alter table "${schema}".flow_history drop column trace, drop column place; alter table "${schema}".attempt drop column error_fingerprint;
       alter table "${schema}".run_step drop column flow_step; alter table "${schema}".run_signal drop column flow_step; drop index "${schema}".job_paused`,
    );
    await setMeta('schema_version', 4);
    // A transaction that stays open, as a worker of the release before has it.
    await client.query(`begin; lock table "${schema}".cursor in row exclusive mode`);
    const { binaries } = await start();
    await client.query('commit');
    await binaries!.putBinary('a'.repeat(64), Buffer.from('x'));
    const { rows } = await client.query(
      `select obj_description('"${schema}".binary'::regclass) as about, (select value from "${schema}".meta where key = 'compatible_with') as compatible`,
    );
    expect(rows).toEqual([{ about: expect.stringMatching(/^Programs/) as string, compatible: '1' }]);
  });

  test('is refused when another process brings it while this one waits for that one, which it tells', async () => {
    await start();
    await setMeta('schema_version', beforeChanges);
    await client.query(
      `begin; lock table "${schema}".run, "${schema}".cursor, "${schema}".worker in share mode`,
    );
    const clock = new ManualClock();
    const told: string[] = [];
    const starting = Array.from({ length: 2 }, () => {
      const storage = newStorage({ schema, clock });
      opened.push(storage);
      return storage.init((error) => void told.push((error as Error).message));
    });
    const ended = Promise.allSettled(starting);
    // One of them tries to get the tables, and the other one waits for it.
    while (!/Another process/.test(told.join()) || !/lock timeout/.test(told.join())) {
      // In small steps, and not much faster than the real time: what a starter has to connect in is on this clock too.
      await clock.advanceBy(100);
      await client.query('select pg_sleep(0.02)');
    }
    await setMeta('schema_version', schemaVersion + 2);
    await setMeta('compatible_with', schemaVersion + 1);
    await client.query('commit');
    for (const end of await ended) {
      expect(end).toMatchObject({
        reason: { message: expect.stringMatching(/is at version \d+, which this release/) },
      });
    }
  });

  test('is not looked at with migrate: off', async () => {
    const storage = await start({ migrate: 'off' });
    await expect(storage.countJobs({})).rejects.toThrow(/does not exist/);
  });
});

describe('names of schemas and tables', () => {
  test.each(['', '1st', 'with space', 'quo"te', "quo'te", 'a-b', 'pg_chronis', 'x'.repeat(49)])(
    'refuses the schema %j',
    (name) => {
      expect(() => migrationSql({ schema: name })).toThrow(/^schema: .* cannot be used as a schema name/);
    },
  );

  test.each(['1', 'a b', 'a"', 'x'.repeat(25)])('refuses the prefix %j', (tablePrefix) => {
    expect(() => migrationSql({ tablePrefix })).toThrow(/^tablePrefix: .* cannot be used as a table prefix/);
  });

  test('keeps capital letters', async () => {
    schema = `Mixed_${schema}`;
    const storage = await start({ tablePrefix: 'P_' });
    expect(await storage.countJobs({})).toBe(0);
    expect(await tables()).toContain('P_run');
  });
});

describe('migrationSql', () => {
  test.each([
    [{ shema: 'x' }, 'shema: migrationSql() has no such option. Did you mean "schema"?'],
    [{ prefix: 'x_' }, 'prefix: migrationSql() has no such option. There are: schema, tablePrefix, from.'],
  ])('refuses the unknown option of %j', (options, message) => {
    expect(() => migrationSql(options as never)).toThrow(message);
  });

  test.each([-1, NaN, Infinity, '1', 1.5, null, schemaVersion + 1, 99])('refuses from: %s', (from) => {
    expect(() => migrationSql({ from: from as number })).toThrow(
      `from: must be the version of the schema that is there, a whole number from 0 (none) to ${schemaVersion}, but is ${typeof from === 'string' ? `'${from}'` : from}.`,
    );
  });

  test('says that nothing is to be done from the newest version on, and gives no transaction', async () => {
    const script = migrationSql({ schema, from: schemaVersion });
    expect(script).toBe(`-- The schema is at version ${schemaVersion}, the newest: nothing is to be done.\n`);
    await client.query(script);
    expect(migrationSql({ from: undefined })).toBe(migrationSql());
  });
});
