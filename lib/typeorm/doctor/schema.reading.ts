import { allTables, type TableNames } from '../sql/table.names.js';
import { defaultShape, shapeOf, type Filling, type SchemaContent } from './expected.schema.js';

type Rows = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

interface TableRow {
  table: string;
  columns: string[];
  filled: Record<string, Filling> | null;
  defaults: Record<string, string> | null;
}

const columnsSql = `
select c.relname as "table", json_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end) as columns,
  json_object_agg(a.attname, case when a.attidentity <> '' then 'identity' when a.attgenerated <> '' then 'generated' else 'default' end)
    filter (where a.attidentity <> '' or a.atthasdef) as filled,
  json_object_agg(a.attname, pg_get_expr(d.adbin, d.adrelid)) filter (where a.atthasdef and a.attgenerated = '') as defaults
from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = any ($2::text[]) and a.attnum > 0 and not a.attisdropped group by c.relname`;

const indexesSql = `
select i.relname as name, c.relname as "table", x.indisunique as "isUnique", pg_get_indexdef(i.oid) as definition
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = any ($2::text[])`;

/** Reads the tables of Chronis, and what indexes they have. */
export async function readSchema(rows: Rows, t: TableNames): Promise<SchemaContent> {
  const without = (name: string): string => name.slice(t.prefix.length);
  const names = [...allTables, 'attempt_default'];
  const values = [t.schemaText, names.map((name) => `${t.prefix}${name}`)];
  const columns = await rows<TableRow>(columnsSql, values);
  const indexes = await rows<{ name: string; table: string; isUnique: boolean; definition: string }>(
    indexesSql,
    values,
  );
  return {
    columns: new Map(columns.map(({ table, columns: own }) => [without(table), own.toSorted()])),
    filled: new Map(
      columns.map(({ table, filled }) => [without(table), new Map(Object.entries(filled ?? {}))]),
    ),
    defaults: new Map(
      columns.map(({ table, defaults }) => [
        without(table),
        new Map(Object.entries(defaults ?? {}).map(([name, text]) => [name, defaultShape(text)])),
      ]),
    ),
    indexes: new Map(
      indexes.map(({ name, table, isUnique, definition }) => [
        without(name),
        { table: without(table), isUnique, shape: shapeOf(/ USING (.*)$/s.exec(definition)![1]!) },
      ]),
    ),
  };
}
