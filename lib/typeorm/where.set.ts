import { whereSetSql } from './sql/where.set.sql.js';

type Run = <Row>(text: string, values: readonly unknown[]) => Promise<Row[]>;

interface Place {
  source: string;
  role: string;
  database: string;
}

/** Who has set a setting, and what takes it back. */
export async function whereSet(run: Run, setting: string): Promise<string> {
  const [{ source, role, database }] = await run<Place>(whereSetSql(), [setting]);
  switch (source) {
    case 'user':
      return `It is set for the role: alter role ${role} reset ${setting};`;
    case 'database':
      return `It is set for the database: alter database ${database} reset ${setting};`;
    case 'database user':
      return `It is set for the role in this database: alter role ${role} in database ${database} reset ${setting};`;
    case 'configuration file':
    case 'command line':
      return `It is set for the server: take it out of its configuration, or set it for the role: alter role ${role} set ${setting} = …;`;
    default:
      return `Its source is "${source}": take it out of the options of the connection, or of the pooler's.`;
  }
}
