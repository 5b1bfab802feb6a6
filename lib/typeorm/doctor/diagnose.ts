import { InvalidOptionError } from '../../model/errors.js';
import { parseDuration } from '../../triggers/duration.js';
import { described } from '../../triggers/refuse.js';
import { schemaVersion } from '../migration.steps.js';
import { insufficientPrivilege } from '../missing.rights.js';
import { messageOf, sqlStateOf } from '../sql.errors.js';
import { allTables } from '../sql/table.names.js';
import { serverOf } from '../typeorm.recipes.js';
import {
  adapterSettings,
  type PostgresOptions,
  type TypeOrmServer,
  type TypeOrmStorageOptions,
} from '../typeorm.options.js';
import type { Check, DoctorLimits, Ground } from './check.js';
import { claimCheck } from './claim.check.js';
import { clockCheck, zoneCheck } from './clock.checks.js';
import { deadLetterCheck } from './dead.letter.check.js';
import type { DiagnoseOptions, Diagnosis, Finding, FindingSeverity, Unchecked } from './diagnosis.js';
import { DoctorSession } from './doctor.session.js';
import { columnFindings, driftChecks } from './drift.checks.js';
import { eventTriggerCheck } from './event.trigger.check.js';
import { foreignChecks } from './foreign.checks.js';
import { maskedText } from './found.text.js';
import { partitionCheck } from './partition.checks.js';
import { referenceCheck } from './reference.check.js';
import { lackingToLook } from './right.checks.js';
import { readSchema } from './schema.reading.js';
import {
  installed,
  tablesCheck,
  versionFindings,
  versionlessFindings,
  type Installed,
} from './schema.checks.js';
import { sequenceCheck } from './sequence.check.js';
import { connectionCheck, serverChecks } from './server.checks.js';
import { vacuumChecks } from './vacuum.checks.js';
import { viewChecks } from './view.check.js';
import { wakeChecks } from './wake.checks.js';
import { workChecks } from './work.checks.js';
import { wraparoundChecks } from './wraparound.checks.js';

const ofServer: readonly Check[] = [...serverChecks, ...wakeChecks, clockCheck];
/** By tables and columns of the first version on. */
const ofTables: readonly Check[] = [
  tablesCheck,
  ...vacuumChecks,
  ...wraparoundChecks,
  connectionCheck,
  zoneCheck,
  partitionCheck,
  sequenceCheck,
  eventTriggerCheck,
];
/** By what is as in this release alone. */
const ofRelease: readonly Check[] = [
  ...driftChecks,
  ...foreignChecks,
  referenceCheck,
  ...viewChecks,
  claimCheck,
  ...workChecks,
  deadLetterCheck,
];

const worstFirst: readonly FindingSeverity[] = ['error', 'warning', 'note'];

/**
 * Examines the server, the tables and the work in them, and says of each fault what mends it. Only reads: in read-only transactions of connections of its own, which it ends; each statement has a deadline.
 * What the role may not read, or what takes too long, is named in `unchecked`. `dataSource` is taken as an object, not as a token.
 *
 * Throws StorageError where the server cannot be reached, InvalidOptionError.
 *
 * @example
 * const { findings } = await diagnose({ url: process.env.DATABASE_URL });
 * for (const { severity, code, sentence, repair } of findings) console.log(severity, code, sentence, repair.text);
 * @publicApi
 */
export async function diagnose(
  options: TypeOrmStorageOptions & TypeOrmServer & DiagnoseOptions,
): Promise<Diagnosis> {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(
      'options',
      `diagnose() takes an object that names the database, { url } or { dataSource }, but was given ${described(options)}.`,
    );
  }
  const { overdueAfter, longTransaction, forgottenAfter, deadLetters = 1_000, timeout, ...storage } = options;
  if (!Number.isInteger(deadLetters) || deadLetters < 1)
    throw new InvalidOptionError(
      'deadLetters',
      `must be a whole number from 1, but is ${described(deadLetters)}.`,
    );
  const settings = adapterSettings(storage, true);
  const limits: DoctorLimits = {
    overdueAfterMs: parseDuration(overdueAfter ?? '1m', 'overdueAfter'),
    longTransactionMs: parseDuration(longTransaction ?? '15m', 'longTransaction'),
    forgottenAfterMs: parseDuration(forgottenAfter ?? '7d', 'forgottenAfter'),
    deadLetters,
  };
  const timeoutMs = parseDuration(timeout ?? '5s', 'timeout');
  const server = serverOf(storage, undefined);
  const { clock, statementTimeoutMs } = settings;
  const needs = { clock, timeoutMs, statementTimeoutMs };
  const session = await DoctorSession.open(server, needs);
  try {
    const listenServer: PostgresOptions =
      storage.listenUrl === undefined ? server : { ...server, url: storage.listenUrl };
    const another = (): Promise<DoctorSession> => DoctorSession.open(listenServer, needs);
    const { at } = await session.row<{ at: number }>(
      'select (extract(epoch from clock_timestamp()) * 1000)::numeric as at',
    );
    const found = await examine({ session, another, t: settings.tables, settings, limits });
    return { at: new Date(at), server: session.place, schema: settings.tables.schemaText, ...found };
  } finally {
    await session.end();
  }
}

type Found = Pick<Diagnosis, 'checked' | 'unchecked' | 'findings'>;

async function examine(ground: Ground): Promise<Found> {
  const { settings } = ground;
  const checked: string[] = [];
  const unchecked: Unchecked[] = [];
  const findings: Finding[] = [];
  let schema: Installed = { version: 0, compatibleWith: 0, madeByTests: false, hasTables: false };
  const schemaCheck: Check = {
    name: 'schema',
    look: async () => {
      const lacking = await lackingToLook(ground);
      if (lacking.length > 0) return lacking;
      schema = await installed(ground);
      if (schema.version === 0 && schema.hasTables)
        return versionlessFindings(settings.tables, await isOfRelease(ground));
      return versionFindings(schema, settings.tables, settings.databaseClock !== null);
    },
  };
  const make = async (checks: readonly Check[]): Promise<void> => {
    for (const { name, look } of checks) {
      try {
        findings.push(...(await look(ground)));
        checked.push(name);
      } catch (error) {
        const rest = name === schemaCheck.name ? '; so nothing of the tables was looked at' : '';
        const why = `${maskedText(messageOf(error))}${rest}`;
        unchecked.push({ check: name, why, lacksRight: sqlStateOf(error) === insufficientPrivilege });
      }
    }
  };
  await make([...ofServer, schemaCheck]);
  if (schema.version > 0) await make(ofTables);
  if (isReadable(schema, findings)) await make(ofRelease);
  findings.sort((a, b) => worstFirst.indexOf(a.severity) - worstFirst.indexOf(b.severity));
  return { checked, unchecked, findings };
}

/** Whether all tables but `meta` are there, with the columns that this release gives them. */
async function isOfRelease({ session, t }: Ground): Promise<boolean> {
  const found = await readSchema((...asked) => session.rows(...asked), t);
  return (
    allTables.every((name) => name === 'meta' || found.columns.has(name)) &&
    columnFindings(found, t).length === 0
  );
}

/** Where tables are gone or of another version, what reads them says nothing that is not said already. */
function isReadable({ version }: Installed, findings: readonly Finding[]): boolean {
  return version === schemaVersion && !findings.some(({ code }) => code === 'doctor.missing-table');
}
