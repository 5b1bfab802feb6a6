import { placeOf, type PlaceKind } from './paging.js';
import { isRunId } from './run.id.js';

/** The WHERE of a query and its values: conditions are texts of ours, everything that callers give is a value. */
export class Conditions {
  readonly values: unknown[];
  private readonly texts = ['true'];

  /** `first`: values that the statement has before those of the conditions, from $2 on ($1 is the time). */
  constructor(...first: unknown[]) {
    this.values = first;
  }

  get text(): string {
    return this.texts.join(' and ');
  }

  /** Another value, and what stands for it. */
  bind(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length + 1}`;
  }

  /** Each `?` stands for one of the values. */
  add(text: string, ...values: unknown[]): void {
    let next = this.values.length + 2;
    this.texts.push(text.replaceAll('?', () => `$${next++}`));
    this.values.push(...values);
  }

  /** The column has this value, or one of these; undefined: whatever it has. */
  among(column: string, asked: string | readonly string[] | undefined): void {
    if (typeof asked === 'string') this.add(`${column} = ?`, asked);
    else if (asked !== undefined) this.add(`${column} = any (?::text[])`, asked);
  }

  /** The column is the id of this run, or of one of these. */
  run(column: string, asked: string | readonly string[]): void {
    const ids = [asked].flat().filter(isRunId);
    if (ids.length === 1) this.add(`${column} = ?::bigint`, ids[0]);
    else if (ids.length > 0) this.add(`${column} = any (?::bigint[])`, ids);
    else this.add('false');
  }

  /** What comes after the end of the previous page, which is a place of these kinds; each `?` stands for one of them. Throws InvalidOptionError. */
  after(cursor: string | undefined, kinds: readonly PlaceKind[], text: string): void {
    if (cursor !== undefined) this.add(text, ...placeOf(cursor, kinds));
  }
}
