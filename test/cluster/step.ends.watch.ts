import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { StorageAdapter } from '../../lib/index.js';
import { readClockSql } from '../../lib/typeorm/sql/read.clock.sql.js';
import { tableNames } from '../../lib/typeorm/sql/table.names.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';

/** Where in the end of a step. `before` the statement is sent · `under way`: the server has it, and its answer is not read · `after` its answer. */
export interface Place {
  step: string;
  /** Of its statements, from 0. */
  nth: number;
  when: 'before' | 'under way' | 'after';
}

/** What has come of an attempt to end a step: its statements by their names, and whether the storage took it. */
export interface StepEnd {
  step: string;
  statements: string[];
  accepted: boolean;
}

interface Ending {
  steps: readonly string[];
  statements: string[];
}

interface Query {
  text?: string;
}

type SendQuery = (...query: unknown[]) => unknown;

/**
 * Watches the statements of this process that end steps, by the context that they are sent in: those of other calls to the storage, at the same time and on other connections, are none of them.
 */
export class StepEndsWatch {
  private readonly ending = new AsyncLocalStorage<Ending>();
  private readonly stepOf = new Map<string, string>();
  private readonly names = new Map<string, string>([[readClockSql(), 'readClock']]);
  private under: Promise<unknown> = Promise.resolve();

  /** `strike` is called at the place, and kept waiting for; what was to come comes after it. */
  constructor(
    schema: string,
    private readonly place: Place | null,
    private readonly strike: () => Promise<unknown>,
    private readonly tell: (end: StepEnd) => void,
  ) {
    for (const notify of [true, false]) {
      const statements = prepareStatements(tableNames(schema, '', notify));
      for (const [name, text] of Object.entries(statements)) this.names.set(text, name);
    }
    this.watchClients();
  }

  /** Resolves when no end of a step is under way: so that each is a call of its own. */
  async begun(runId: string, step: string): Promise<void> {
    this.stepOf.set(runId, step);
    await this.under;
  }

  storage(storage: StorageAdapter): StorageAdapter {
    return new Proxy(storage, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        const call = (args: unknown[]): unknown => Reflect.apply(value, target, args);
        if (key === 'settle') return (...args: unknown[]) => this.settle(args, () => call(args));
        if (key === 'transaction') return (...args: unknown[]) => this.watch(['write'], () => call(args));
        return (...args: unknown[]) => call(args);
      },
    });
  }

  private settle([settlements]: unknown[], call: () => unknown): unknown {
    const steps = (settlements as { runId: string }[]).flatMap(({ runId }) => this.stepOf.get(runId) ?? []);
    return steps.length === 0 ? call() : this.watch(steps, call);
  }

  private async watch(steps: readonly string[], call: () => unknown): Promise<unknown> {
    const ending: Ending = { steps, statements: [] };
    const sent = this.ending.run(ending, async () => call());
    this.under = sent.catch(() => undefined);
    const tell = (accepted: boolean): void => {
      for (const step of steps) this.tell({ step, statements: ending.statements, accepted });
    };
    try {
      const answer = await sent;
      const { accepted } = (answer ?? {}) as { accepted?: readonly string[] };
      tell(accepted === undefined || accepted.length > 0);
      return answer;
    } catch (error) {
      tell(false);
      throw error;
    }
  }

  private watchClients(): void {
    const { prototype } = pg.Client as unknown as { prototype: { query: SendQuery } };
    const { query } = prototype;
    const { ending } = this;
    const sent = (client: object, args: unknown[]): Promise<unknown> =>
      this.send(client, args, () => query.apply(client, args));
    prototype.query = function (this: object, ...args: unknown[]): unknown {
      return ending.getStore() === undefined ? query.apply(this, args) : sent(this, args);
    };
  }

  private async send(client: object, args: unknown[], query: () => unknown): Promise<unknown> {
    const { steps, statements } = this.ending.getStore()!;
    const nth = statements.push(this.nameOf(args)) - 1;
    const isHere = this.place !== null && steps.includes(this.place.step) && this.place.nth === nth;
    const when = isHere ? this.place!.when : null;
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
