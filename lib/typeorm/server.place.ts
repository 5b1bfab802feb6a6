/** A connection, as far as it is asked where it leads. */
export interface Asked {
  /** As it was given: `host:port/database`. */
  address: string;
  rows: <Row>(text: string) => Promise<Row[]>;
}

export interface ServerPlace {
  address: string;
  database: string;
  /** When the server was started, in seconds with six places: no two have the same, and every role may read it. */
  startedAt: string;
}

const placeSql = `select current_database() as database, extract(epoch from pg_postmaster_start_time())::text as "startedAt"`;

export async function placeOf({ address, rows }: Asked): Promise<ServerPlace> {
  const [place] = await rows<Omit<ServerPlace, 'address'>>(placeSql);
  return { address, ...place! };
}

/** Why nothing arrives at a connection that does not lead to where the tables are: a clause, and what mends it. Null: it leads there. */
export function elsewhere(
  listening: ServerPlace,
  tables: ServerPlace,
): { where: string; fix: string } | null {
  const isOther = listening.startedAt !== tables.startedAt;
  if (!isOther && listening.database === tables.database) return null;
  const home = `in "${tables.database}" of the`;
  return {
    where: isOther
      ? `leads to another server, at ${listening.address}, and the tables are ${home} server at ${tables.address}`
      : `leads to the database "${listening.database}", and the tables are ${home} same server`,
    fix: `"listenUrl" that leads to the server of the tables, and there to the database "${tables.database}"`,
  };
}

const unheard = 'Notifications do not arrive at the connection that listens.';

/** What is said where a connection hears nothing of what others notify where the tables are. Never rejects. */
export async function whyUnheard(listening: Asked, tables: Asked): Promise<string> {
  const found = await Promise.all([placeOf(listening), placeOf(tables)]).catch(() => null);
  const way = found && elsewhere(...found);
  if (way)
    return `${unheard} It ${way.where}. Give typeOrmStorage() a ${way.fix}; or "notify: false", to do without.`;
  // Where nobody answered it may be either.
  const other = found === null ? ', or to another database' : '';
  return `${unheard} It leads through PgBouncer in transaction mode${other}. Give typeOrmStorage() a "listenUrl" that leads to the server itself, past the pooler, and to the same database; or "notify: false", to do without.`;
}
