import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import { readClockSql } from '../../lib/typeorm/sql/read.clock.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';

/** `before` the statement is sent · `under way`: the server has it, and its answer is not read · `after` its answer. */
export type StrikeTime = 'before' | 'under way' | 'after';

/** Which statement of a call, from 0, and when. */
export interface StrikePlace {
  nth: number;
  when: StrikeTime;
}

/** A call whose statements are watched, by their names. */
export interface WatchedCall {
  statements: string[];
}

interface Query {
  text?: string;
}

type SendQuery = (...query: unknown[]) => unknown;

/**
 * Watches the statements that this process sends within some calls, by the context that they are sent in: those of others, at the same time and on other connections, are none of them. Strikes at one of them.
 */
export class StruckStatements<C extends WatchedCall = WatchedCall> {
  private readonly calls = new AsyncLocalStorage<C>();
  private readonly names = new Map<string, string>([[readClockSql(), 'readClock']]);

  /** `strike` is called where `timeOf` says when, and kept waiting for; what was to come comes after it. */
  constructor(
    schema: string,
    private readonly timeOf: (call: C, nth: number) => StrikeTime | null,
    private readonly strike: () => unknown,
  ) {
    for (const notify of [true, false]) {
      const statements = prepareStatements(tableNames(schema, '', notify));
      for (const [name, text] of Object.entries(statements)) this.names.set(text, name);
    }
    this.watchClients();
  }

  /** What is sent within `work` is of this call. */
  within<T>(call: C, work: () => Promise<T>): Promise<T> {
    return this.calls.run(call, work);
  }

  private watchClients(): void {
    const { prototype } = pg.Client as unknown as { prototype: { query: SendQuery } };
    const { query } = prototype;
    const { calls } = this;
    const sent = (client: object, args: unknown[]): Promise<unknown> =>
      this.send(client, args, () => query.apply(client, args));
    prototype.query = function (this: object, ...args: unknown[]): unknown {
      return calls.getStore() === undefined ? query.apply(this, args) : sent(this, args);
    };
  }

  private async send(client: object, args: unknown[], query: () => unknown): Promise<unknown> {
    const call = this.calls.getStore()!;
    const name = this.nameOf(args);
    // What a new connection is asked first, which is not in each call.
    if (name === 'select') return query();
    const nth = call.statements.push(name) - 1;
    const when = this.timeOf(call, nth);
    if (when === 'before') await this.strike();
    const answer = Promise.resolve(query());
    if (when === 'under way') {
      answer.catch(() => undefined);
      await flushed(client);
      await this.strike();
    }
    const value = await answer;
    if (when === 'after') await this.strike();
    return value;
  }

  private nameOf([query]: unknown[]): string {
    const text = typeof query === 'string' ? query : ((query as Query).text ?? '');
    return this.names.get(text) ?? text.trim().split(/\s+/, 1)[0]!.toLowerCase();
  }
}

/** Resolves when the kernel has all that was written to the server. */
function flushed(client: object): Promise<void> {
  const { stream } = (client as { connection: { stream: NodeJS.WritableStream } }).connection;
  return new Promise((resolve) => {
    // pg writes the parts of a query in one go, in the next tick.
    process.nextTick(() => process.nextTick(() => stream.write(Buffer.alloc(0), () => resolve())));
  });
}

/**
 * In each statement and after each commit, of what comes to the same only the first: a transaction that begins as another one did is struck where it differs.
 */
export function strikePlaces(statements: readonly string[]): StrikePlace[] {
  const seen = new Set<string>();
  let beginning: string[] = [];
  return statements.flatMap((name, nth): StrikePlace[] => {
    if (name === 'begin') beginning = [];
    beginning.push(name);
    const key = beginning.join();
    const isOver = name === 'commit';
    if (isOver) beginning = [];
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ nth, when: 'under way' }, ...(isOver ? [{ nth, when: 'after' } as const] : [])];
  });
}
