import { whereSetSql } from './sql/where.set.sql.js';

type Run = <Row>(text: string, values: readonly unknown[]) => Promise<Row[]>;

/** Role and database as statements have them. */
interface Place {
  source: string;
  role: string;
  database: string;
}

/** Who has set a setting, and what takes it back. */
export async function whereSet(run: Run, setting: string): Promise<string> {
  const [{ source, role, database }] = await run<Place>(whereSetSql(), [setting]);
  const target = setFor({ source, role, database });
  if (target !== null) {
    const whom = source === 'global' ? 'all roles' : source === 'database' ? 'the database' : 'the role';
    const where = source === 'database user' ? ' in this database' : '';
    return `It is set for ${whom}${where}: ${resetting(setting, target)}`;
  }
  if (source === 'configuration file' || source === 'command line')
    return `It is set for the server: take it out of its configuration, or set it for the role: alter role ${role} set ${setting} = …;`;
  return `Its source is "${source}": take it out of the options of the connection, or of the pooler's.`;
}

/** The statement for what `setFor` returns. */
export function resetting(setting: string, target: string): string {
  const reset = `alter ${target} reset ${setting};`;
  // The session in which it is run begins with the fault.
  return setting === 'default_transaction_read_only' ? `begin read write; ${reset} commit;` : reset;
}

/** What has to be altered, where a setting is of roles or of a database; null: it comes from elsewhere. `source`: as pg_settings says. */
export function setFor({ source, role, database }: Place): string | null {
  switch (source) {
    case 'user':
      return `role ${role}`;
    case 'database':
      return `database ${database}`;
    case 'database user':
      return `role ${role} in database ${database}`;
    case 'global':
      return 'role all';
    default:
      return null;
  }
}
