import { allTables, type TableNames } from '../sql/table.names.js';

/** What a schema holds, without its name and its prefix: so that one can be compared with another. */
export interface ReadSchema {
  /** By table: `name type`, with `not null` where it is so, by name. */
  columns: Readonly<Record<string, readonly string[]>>;
  /** By name: unique or not, of which table, and the rest of the definition. */
  indexes: Readonly<Record<string, string>>;
}

type Rows = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

const columnsSql = `
select c.relname as "table", json_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end order by a.attname) as columns
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = any ($2::text[]) and a.attnum > 0 and not a.attisdropped group by c.relname`;

const indexesSql = `
select i.relname as name, c.relname as "table", pg_get_indexdef(i.oid) as definition
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = any ($2::text[])`;

/** Reads the tables of Chronis, and what indexes they have. */
export async function readSchema(rows: Rows, t: TableNames): Promise<ReadSchema> {
  const without = (name: string): string => name.slice(t.prefix.length);
  const values = [t.schemaText, allTables.map((name) => `${t.prefix}${name}`)];
  const columns = await rows<{ table: string; columns: string[] }>(columnsSql, values);
  const indexes = await rows<{ name: string; table: string; definition: string }>(indexesSql, values);
  return {
    columns: Object.fromEntries(columns.map(({ table, columns: own }) => [without(table), own])),
    indexes: Object.fromEntries(
      indexes.map(({ name, table, definition }) => [without(name), shortened(without(table), definition)]),
    ),
  };
}

/** `CREATE UNIQUE INDEX x ON ONLY s.run USING btree (id)` → `unique run btree (id)`. */
function shortened(table: string, definition: string): string {
  const [, unique, rest] = /^CREATE (UNIQUE )?INDEX .*? USING (.*)$/s.exec(definition) ?? [];
  return `${unique === undefined ? '' : 'unique '}${table} ${rest ?? definition}`;
}
