import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { historical } from '../../lib/typeorm/sql/history.fragment.js';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** The keys that an interface declares itself. */
function keysOf(file: string, name: string): string[] {
  const body = new RegExp(`interface ${name}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(read(file))?.[1];
  expect(body, `${name} in ${file}`).toBeDefined();
  return [...body!.matchAll(/^ {2}(\w+)\??:/gm)].map((match) => match[1]!);
}

/** The options that a section of the reference lists. */
function listed(heading: string): string[] {
  const section = read('docs/reference/options.md')
    .split(/^## /m)
    .find((part) => part.startsWith(heading));
  expect(section, heading).toBeDefined();
  return [...section!.matchAll(/^\| (`.*?`) \|/gm)].flatMap((row) =>
    [...row[1]!.matchAll(/`(\w+)`/g)].map((match) => match[1]!),
  );
}

describe('the reference of options lists exactly what the code takes', () => {
  test('of the module', () => {
    expect(listed('Module').toSorted()).toEqual(
      keysOf('lib/chronis.options.ts', 'ChronisOptions').toSorted(),
    );
  });

  test('of the storage', () => {
    const file = 'lib/typeorm/typeorm.options.ts';
    const keys = ['TableOptions', 'TypeOrmAdapterOptions', 'TypeOrmStorageOptions'].flatMap((name) =>
      keysOf(file, name),
    );
    expect(listed('`typeOrmStorage').toSorted()).toEqual(keys.toSorted());
  });

  test('of storages in files', () => {
    const memory = /JournaledOptions = Pick<MemoryStorageOptions, (.*?)>/.exec(
      read('lib/journal/journaled.storage.ts'),
    )![1]!;
    const keys = [
      ...[...memory.matchAll(/'(\w+)'/g)].map((match) => match[1]!),
      ...keysOf('lib/journal/storage.options.ts', 'FileStorageBase'),
      ...keysOf('lib/sqlite/sqlite.recipes.ts', 'SqliteStorageOptions'),
    ];
    expect(listed('`fileStorage').toSorted()).toEqual(keys.toSorted());
  });

  test('of job files', () => {
    expect(listed('Job files').toSorted()).toEqual(
      keysOf('lib/job-files/job.files.options.ts', 'JobFilesOptions').toSorted(),
    );
  });

  test.each([
    ['Metrics', 'lib/metrics/metrics.options.ts', 'ChronisMetrics'],
    ['Health', 'lib/health/health.options.ts', 'ChronisHealth'],
    ['REST', 'lib/http/http.options.ts', 'ChronisHttp'],
  ])('of the module of %s', (heading, file, name) => {
    const keys = [...keysOf(file, `${name}Options`), ...keysOf(file, `${name}Route`)];
    expect(listed(heading).toSorted()).toEqual(keys.toSorted());
  });

  test('of traces', () => {
    const file = 'lib/tracing/tracing.options.ts';
    const keys = [...keysOf(file, 'ChronisTracingOptions'), ...keysOf(file, 'ChronisTracingPlace')];
    expect(listed('Tracing').toSorted()).toEqual(keys.toSorted());
  });

  test('of alerts and their rules', () => {
    const file = 'lib/alerts/alerts.options.ts';
    const keys = [...keysOf(file, 'ChronisAlertsOptions'), ...keysOf(file, 'ChronisAlertsPlace')];
    expect(listed('Alerts').toSorted()).toEqual(keys.toSorted());
    expect(listed('Rules of alerts').toSorted()).toEqual(keysOf(file, 'AlertRule').toSorted());
  });

  test('of jobs', () => {
    const names = ['JobOptions', 'RecurrenceOptions', 'CronTiming', 'IntervalTiming', 'DeclarationOptions'];
    const keys = [...new Set(names.flatMap((name) => keysOf('lib/model/job.options.ts', name)))];
    expect(listed('Jobs').toSorted()).toEqual(keys.toSorted());
  });

  test('of jobs that are created at run time', () => {
    const names = ['CreateOptions', 'OneOffOptions'];
    const keys = names.flatMap((name) => keysOf('lib/scheduler/create.options.ts', name));
    keys.push(...keysOf('lib/model/task.ts', 'TaskOption'));
    expect(listed('Run time').toSorted()).toEqual(keys.toSorted());
  });
});

test('the reference of tables lists exactly the tables and columns of the schema', () => {
  const text = versions().map(read).join('\n');
  const added = [...addedColumns()];
  const schema = [...text.matchAll(/create table \$\{t\.(\w+)\} \(([\s\S]*?)\n {4}\)/g)].map(
    ([, name, body]) => {
      const columns = [...body!.matchAll(/^ {6}(?!unique |primary )(\w+) /gm)].map((match) => match[1]!);
      for (const [table, column] of added) if (table === name) columns.push(column);
      return [name!, columns.toSorted()] as const;
    },
  );
  const sections = read('docs/reference/tables.md').split(/^## /m).slice(1);
  const documented = sections
    .filter((section) => !/^(Queries|Views|History)/.test(section))
    .map((section) => {
      const list = section.trim().split('\n\n').at(-1)!;
      const columns = list.split('·').map((item) => /`(\w+)`/.exec(item)![1]!);
      return [section.split('\n')[0]!, columns.toSorted()] as const;
    });
  expect(schema.length).toBeGreaterThan(7);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(schema));
  const history = sections.find((section) => section.startsWith('History'))!;
  const named = [...history.split('\n\n')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
  expect(named).toEqual(historical.map((table) => `${table}_history`));
});

/** What later versions of the schema add to the tables of the first. */
function* addedColumns(): Iterable<readonly [table: string, column: string]> {
  for (const file of versions()) {
    for (const [, table, changes] of read(file).matchAll(/alter table \$\{t\.(\w+)\}([^`]*)`/g)) {
      for (const [, column] of changes!.matchAll(/add column (\w+)/g)) yield [table!, column!];
    }
  }
}

function versions(): string[] {
  return readdirSync(new URL('lib/typeorm/sql', root))
    .filter((file) => /^schema\.v\d+\.sql\.ts$|\.tables\.fragment\.ts$/.test(file))
    .map((file) => `lib/typeorm/sql/${file}`);
}
