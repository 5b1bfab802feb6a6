import { migrationStatements } from '../migration.steps.js';
import type { TableNames } from '../sql/table.names.js';

/** A column as the catalogue tells it: `run_id bigint not null`. */
export type ColumnText = string;

export interface SchemaIndex {
  table: string;
  isUnique: boolean;
  /** Method, columns and condition, as far as two ways to write them are the same: see `shapeOf`. */
  shape: string;
}

/** By what a column is filled in. */
export type Filling = 'default' | 'identity' | 'generated';

/** What a schema holds, by names without its own name and its prefix. */
export interface SchemaContent {
  columns: Map<string, ColumnText[]>;
  /** Columns that are filled in by themselves: `default`, `identity`, `generated`. */
  filled: Map<string, Map<string, Filling>>;
  /** Of those with a default the expression, as far as two ways to write it are the same. */
  defaults: Map<string, Map<string, string>>;
  indexes: Map<string, SchemaIndex>;
}

/** What a fresh schema holds. */
export interface ExpectedSchema extends SchemaContent {
  /** The statement that makes an index, by its name. */
  making: Map<string, string>;
  /** By what a column is filled in, as a statement has it: `default 0`, `generated always as identity`. By `table.column`. */
  filling: Map<string, string>;
}

const typeNames: Readonly<Record<string, string>> = {
  timestamptz: 'timestamp with time zone',
  int: 'integer',
  bool: 'boolean',
};
/** What follows the type of a column. */
const afterType =
  /^(.*?)(?:\s+(?:not null|null|primary key|generated|default|collate|unique|references|check)\b.*)?$/s;

const fillingText = /\bdefault (?:'(?:[^']|'')*'|\S+)|\bgenerated .*?(?: as identity|\) stored)/s;

/** Read from the statements that make it, so that there is one place that says what there is. */
export function expectedSchema(t: TableNames): ExpectedSchema {
  const found: ExpectedSchema = {
    columns: new Map(),
    filled: new Map(),
    defaults: new Map(),
    indexes: new Map(),
    making: new Map(),
    filling: new Map(),
  };
  const reader = new StatementReader(t, found);
  for (const statement of migrationStatements(t, 0)) reader.read(statement.trim());
  for (const columns of found.columns.values()) columns.sort();
  return found;
}

/** The same of the expression of a default: a number may be in quotes there. */
export function defaultShape(expression: string): string {
  return shapeOf(expression).replaceAll("'", '');
}

/** Two ways to write an index or a condition have the same shape: without brackets, casts, blanks and quotes. */
export function shapeOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/::(?:timestamp with(?:out)? time zone|double precision|[a-z_]+)(?:\[\])?/g, '')
    .replaceAll(/[\s()"]/g, '');
}

class StatementReader {
  constructor(
    private readonly t: TableNames,
    private readonly found: ExpectedSchema,
  ) {}

  read(statement: string): void {
    const table = /^create table (\S+) \((.*)$/s.exec(statement);
    if (table) return this.table(this.nameOf(table[1]!), table[2]!);
    const index = /^create (unique )?index (\S+) on (\S+)\s+(.*)$/s.exec(statement);
    if (index) return this.index(index, statement);
    const filled = /^alter table (\S+) alter column (\S+) set (default .*)$/s.exec(statement);
    if (filled) return this.fill(this.nameOf(filled[1]!), filled[2]!, 'default', filled[3]!);
    const altered = /^alter table (\S+) (add .*)$/s.exec(statement);
    if (altered) for (const part of split(altered[2]!)) this.alter(this.nameOf(altered[1]!), part.trim());
  }

  private table(table: string, body: string): void {
    const columns: ColumnText[] = [];
    this.found.columns.set(table, columns);
    this.found.filled.set(table, new Map());
    this.found.defaults.set(table, new Map());
    for (const part of split(untilClosed(body))) {
      const text = part.trim();
      const model = /^like (\S+)/.exec(text);
      if (model) {
        const from = this.nameOf(model[1]!);
        columns.push(...this.found.columns.get(from)!);
        if (/ including (?:all|defaults)/.test(text))
          for (const [column, filling] of this.found.filled.get(from)!)
            this.fill(table, column, filling, this.found.filling.get(`${from}.${column}`)!);
        continue;
      }
      const constraint = /^(primary key|unique) \((.*)\)$/s.exec(text);
      if (!constraint) this.column(table, text);
      else if (constraint[1] === 'unique')
        this.implied(table, constraint[2]!, `${constraint[2]!.replaceAll(/,\s*/g, '_')}_key`);
      else {
        for (const name of constraint[2]!.split(',')) this.require(table, name.trim());
        this.implied(table, constraint[2]!, 'pkey');
      }
    }
  }

  private column(table: string, text: string): void {
    const [, name, rest] = /^"?(\w+)"?\s+(.*)$/s.exec(text)!;
    const type = afterType.exec(rest!)![1]!.trim();
    const isRequired = /\bnot null\b|\bprimary key\b|\bgenerated\b/.test(rest!);
    this.found.columns.get(table)!.push(`${name} ${typeNames[type] ?? type}${isRequired ? ' not null' : ''}`);
    const filling = fillingOf(rest!);
    if (filling !== null) this.fill(table, name!, filling, fillingText.exec(rest!)![0]);
    if (/\bprimary key\b/.test(rest!)) this.implied(table, name!, 'pkey');
  }

  private fill(table: string, column: string, filling: Filling, text: string): void {
    this.found.filled.get(table)!.set(column, filling);
    this.found.filling.set(`${table}.${column}`, text);
    if (filling === 'default')
      this.found.defaults.get(table)!.set(column, defaultShape(text.replace(/^default /, '')));
  }

  private alter(table: string, part: string): void {
    const column = /^add column (.*)$/s.exec(part);
    if (column) return this.column(table, column[1]!);
    const key = /^add primary key using index (\S+)$/.exec(part);
    if (!key) return;
    const { shape } = this.found.indexes.get(this.nameOf(key[1]!))!;
    for (const name of shape.replace(/^btree/, '').split(',')) this.require(table, name);
  }

  private index([, unique, name, table, rest]: RegExpExecArray, statement: string): void {
    const shape = shapeOf(rest!.startsWith('using ') ? rest!.slice('using '.length) : `btree ${rest!}`);
    const known = this.nameOf(name!);
    this.found.indexes.set(known, { table: this.nameOf(table!), isUnique: unique !== undefined, shape });
    this.found.making.set(known, statement.replaceAll(/\s+/g, ' '));
  }

  /** An index that comes with a constraint. */
  private implied(table: string, columns: string, suffix: string): void {
    const name = `${table}_${suffix}`;
    this.found.indexes.set(name, { table, isUnique: true, shape: shapeOf(`btree ${columns}`) });
    const constraint = suffix === 'pkey' ? 'primary key' : 'unique';
    this.found.making.set(
      name,
      `alter table ${this.t.qualified(table)} add constraint ${this.t.index(name)} ${constraint} (${columns})`,
    );
  }

  private require(table: string, name: string): void {
    const columns = this.found.columns.get(table)!;
    const at = columns.findIndex((column) => column.startsWith(`${name} `));
    if (at >= 0 && !columns[at]!.endsWith(' not null')) columns[at] += ' not null';
  }

  /** `"chronis"."x_job"` → `job`. */
  private nameOf(quoted: string): string {
    return quoted.split('.').at(-1)!.replaceAll('"', '').slice(this.t.prefix.length);
  }
}

function fillingOf(rest: string): Filling | null {
  if (/\bas identity\b/.test(rest)) return 'identity';
  if (/\bgenerated\b/.test(rest)) return 'generated';
  return /\bdefault\b/.test(rest) ? 'default' : null;
}

/** What is before the bracket that closes what has been opened before. */
function untilClosed(text: string): string {
  let depth = 1;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')' && --depth === 0) return text.slice(0, at);
  }
  return text;
}

/** By the commas that are in no brackets. */
function split(text: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const char of text) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}
