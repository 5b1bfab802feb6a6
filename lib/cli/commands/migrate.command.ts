import { command, type CliCommand } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';
import { flag, whole } from '../cli.option.js';
import { exitCodes, type ExitCode } from '../exit.codes.js';
import type { LogLevel } from '../global.options.js';
import type { Output } from '../output.js';
import type { StorageChoice } from '../storage.choice.js';

type Postgres = Extract<StorageChoice, { kind: 'postgres' }>;

const highestVersion = 1_000;
/** Another process may be at it. */
const connectTimeout = '30s';

const migrate = command({
  name: 'migrate',
  summary: 'brings the tables of PostgreSQL up to date',
  options: {
    check: flag('--check', 'only look: 2 where they are not up to date'),
    sql: flag('--sql', 'print the statements for psql, and change nothing'),
    from: whole('--from <version>', 'of the tables, for --sql without a server; 0: there are none', {
      least: 0,
      most: highestVersion,
      absent: undefined,
    }),
    dryRun: flag('--dry-run', 'only tell what would be done'),
  },
  examples: ['chronis migrate --check', 'chronis migrate --sql --from 0 > chronis.sql'],
  run: async ({ values: { check, sql, from, dryRun }, globals, out, storage }) => {
    if ([check, sql, dryRun].filter((each) => each).length > 1)
      throw new UsageError('Give one of --check, --sql and --dry-run.');
    if (from !== undefined && !sql) throw new UsageError('--from goes with --sql.');
    if (from !== undefined) return printSql(globals.schema, from, out);
    const choice = storage();
    if (choice.kind !== 'postgres')
      throw new UsageError(`${choice.shown} has no tables that are migrated: only PostgreSQL has.`);
    const { version, target, compatibleWith } = await stateOf(choice);
    if (sql) return printSql(choice.schema, Math.min(version, target), out);
    const isCurrent = version >= target;
    const found = { version, target, compatibleWith, migrated: false };
    if (check || dryRun || isCurrent) {
      out.print(found, (paper) => paper.line(told(version, target)));
      return check && !isCurrent ? exitCodes.found : exitCodes.fine;
    }
    await apply(choice, globals.logLevel ?? 'WARNING', out);
    out.print({ ...found, version: target, migrated: true }, (paper) =>
      paper.line(`The tables were brought from version ${version} to ${target}.`),
    );
  },
});

async function stateOf({
  server,
  schema,
}: Postgres): ReturnType<typeof import('../../typeorm/index.js').schemaState> {
  const { assertInstalled } = await import('../session.js');
  assertInstalled(['pg', 'typeorm']);
  const { schemaState } = await import('../../typeorm/index.js');
  return schemaState({
    ...server,
    connectTimeoutMs: connectTimeout,
    ...(schema === undefined ? {} : { schema }),
  });
}

async function printSql(schema: string | undefined, from: number, out: Output): Promise<ExitCode> {
  const { migrationSql } = await import('../../typeorm/index.js');
  const sql = migrationSql({ from, ...(schema === undefined ? {} : { schema }) });
  if (out.isJson) out.print({ from, sql }, () => undefined);
  else out.raw(sql);
  return exitCodes.fine;
}

async function apply(choice: Postgres, level: LogLevel, out: Output): Promise<void> {
  const { openSession } = await import('../session.js');
  const { StderrLogger } = await import('../stderr.logger.js');
  const logger = new StderrLogger(level, (line) => out.note(line));
  const session = await openSession(choice, { logger, migrate: 'auto' });
  await session.close();
}

function told(version: number, target: number): string {
  if (version === 0) return `There are no tables yet; this release makes them, of version ${target}.`;
  if (version === target) return `The tables are up to date, at version ${version}.`;
  return version > target
    ? `The tables are at version ${version}, which is newer than the ${target} of this release.`
    : `The tables are at version ${version}; this release brings them to ${target}.`;
}

export const migrateCommands: CliCommand[] = [migrate];
