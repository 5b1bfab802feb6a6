import { maskedText } from './found.text.js';
import { byHand, counted, type Check, type Ground } from './check.js';
import type { Finding } from './diagnosis.js';
import { repairOf, settingsSql, type Setting } from './setting.repair.js';

const oldestServer = 150_000;
const versionText = 'PostgreSQL 15';

export const serverChecks: readonly Check[] = [
  { name: 'server', look: async ({ session }) => serverFindings(await session.row<Server>(serverSql)) },
  {
    name: 'settings',
    look: async ({ session, settings }) =>
      settingFindings(
        await session.unset<Setting>(settingsSql(Object.keys(goodValues))),
        settings.statementTimeoutMs,
      ),
  },
];

interface Server {
  version: number;
  shown: string;
  encoding: string;
  database: string;
  standby: boolean;
}

const serverSql = `
select current_setting('server_version_num')::int as version, current_setting('server_version') as shown, current_setting('server_encoding') as encoding,
  current_database() as database, pg_is_in_recovery() as standby`;

export function serverFindings({ version, shown, encoding, database, standby }: Server): Finding[] {
  const findings: Finding[] = [];
  if (version < oldestServer) {
    findings.push({
      code: 'doctor.server-version',
      severity: 'error',
      sentence: `The server is PostgreSQL ${shown}, which Chronis was not made for: it needs ${versionText} or later.`,
      evidence: { version: shown },
      repair: byHand('Bring the server to a later version (pg_upgrade).'),
    });
  }
  if (encoding !== 'UTF8') {
    findings.push({
      code: 'doctor.encoding',
      severity: 'error',
      sentence: `The database "${database}" has the encoding ${encoding}, which lacks characters that errors and results may hold: such runs could not be settled.`,
      evidence: { database, encoding },
      repair: byHand(
        `Make a database with UTF8 (create database … encoding 'UTF8' template template0) and move the schema there with pg_dump.`,
      ),
    });
  }
  if (standby) {
    findings.push({
      code: 'doctor.read-only',
      severity: 'error',
      sentence: 'The server is a standby, which takes no changes: nothing fires or is claimed by it.',
      evidence: { standby },
      repair: byHand(
        'Give the address of the primary; or, where that is gone, promote this one: pg_promote().',
      ),
    });
  }
  return findings;
}

/** Of what is looked at, the value that mends it. */
const goodValues: Readonly<Record<string, string>> = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  autovacuum: 'on',
  track_counts: 'on',
  statement_timeout: '0',
  default_transaction_read_only: 'off',
  default_transaction_isolation: "'read committed'",
  lock_timeout: '0',
};

/** What the sessions ask for at their start: where they do not have it, a pooler has refused it. */
const needed: readonly { name: string; isRight: (value: string) => boolean; else: string }[] = [
  {
    name: 'default_transaction_isolation',
    isRight: (value) => value === 'read committed',
    else: 'workers keep failing each other’s statements',
  },
  {
    name: 'lock_timeout',
    isRight: (value) => value === '0',
    else: 'statements fail which have only to wait',
  },
];

export function settingFindings(settings: readonly Setting[], statementTimeoutMs: number): Finding[] {
  const by = new Map(settings.map((setting) => [setting.name, setting]));
  const findings: Finding[] = [];
  const add = (
    name: string,
    finding: Pick<Finding, 'code' | 'severity' | 'sentence'>,
    isWrong: (setting: Setting) => boolean,
  ): void => {
    const setting = by.get(name);
    if (setting === undefined || !isWrong(setting)) return;
    const { value, source } = setting;
    findings.push({
      ...finding,
      evidence: { setting: name, value: maskedText(value), source },
      repair: repairOf(setting, goodValues[name]!),
    });
  };
  const isOff = ({ value }: Setting): boolean => value === 'off';
  for (const name of ['fsync', 'full_page_writes']) {
    const sentence = `${name} is off: a crash of the machine may damage the tables beyond repair.`;
    add(name, { code: 'doctor.crash-safety', severity: 'error', sentence }, isOff);
  }
  add(
    'synchronous_commit',
    {
      code: 'doctor.synchronous-commit',
      severity: 'warning',
      sentence:
        'synchronous_commit is off: a crash of the server takes back the last commits, so jobs that were created are gone and runs that have ended run again.',
    },
    isOff,
  );
  for (const name of ['autovacuum', 'track_counts']) {
    const sentence = `${name} is off: nobody cleans up the tables, and each statement reads past more rows that are gone.`;
    add(name, { code: 'doctor.autovacuum-off', severity: 'error', sentence }, isOff);
  }
  add(
    'default_transaction_read_only',
    {
      code: 'doctor.read-only',
      severity: 'error',
      sentence:
        'default_transaction_read_only is on: the server takes no changes, nothing fires or is claimed.',
    },
    ({ value }) => value === 'on',
  );
  for (const { name, isRight, else: consequence } of needed) {
    const sentence = `${name} is "${by.get(name)?.value}" in the sessions of Chronis, so that ${consequence}: a pooler does not pass on what they ask for.`;
    add(
      name,
      { code: 'doctor.session-setting', severity: 'error', sentence },
      (found) => !isRight(found.value),
    );
  }
  add(
    'statement_timeout',
    {
      code: 'doctor.statement-timeout',
      severity: 'warning',
      sentence: `statement_timeout is ${by.get('statement_timeout')?.value}, less than the ${statementTimeoutMs} ms that Chronis gives its statements: long ones fail before their time.`,
    },
    ({ ms }) => ms !== null && ms > 0 && ms < statementTimeoutMs,
  );
  return findings;
}

interface Connections {
  most: number;
  reserved: number;
  used: number;
  roleLimit: number;
  databaseLimit: number;
  processes: number;
}

const connectionsSql = (worker: string): string => `
select current_setting('max_connections')::int as most, current_setting('superuser_reserved_connections')::int as reserved,
  (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
  (select rolconnlimit from pg_roles where rolname = current_user) as "roleLimit", (select datconnlimit from pg_database where datname = current_database()) as "databaseLimit",
  (select count(distinct (host, pid))::int from ${worker} where lease_until > now() and released_at is null) as processes`;

/** Beside the pool: what is urgent, what listens, what renews the lease. */
const besidePool = 3;
const mostUsed = 0.9;

export const connectionCheck: Check = {
  name: 'connections',
  look: async ({ session, settings, t }: Ground) =>
    connectionFindings(await session.row<Connections>(connectionsSql(t.worker)), settings.poolSize),
};

export function connectionFindings(found: Connections, poolSize: number): Finding[] {
  const { most, reserved, used, roleLimit, databaseLimit, processes } = found;
  const ofServer = most - reserved;
  const limits = [ofServer, ...[roleLimit, databaseLimit].filter((limit) => limit >= 0)];
  const room = Math.min(...limits);
  const wanted = processes * (poolSize + besidePool);
  const isFull = used >= mostUsed * ofServer;
  if (wanted <= room && !isFull) return [];
  const sentence = isFull
    ? `${used} of the ${ofServer} connections of the server are taken: the next process may find none.`
    : `${counted(processes, 'process', 'processes')} with a pool of ${poolSize} may take up to ${wanted} connections, but there are ${room}.`;
  return [
    {
      code: 'doctor.connections',
      severity: 'warning',
      sentence,
      evidence: { maxConnections: most, used, roleLimit, databaseLimit, processes, poolSize, wanted },
      repair: byHand(
        'Raise max_connections (or the limit of the role or the database), lower poolSize, or run fewer processes.',
      ),
    },
  ];
}
