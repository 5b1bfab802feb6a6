import { createHash } from 'node:crypto';

/**
 * How long plans are used. Those made for empty tables are wrong for full ones, and the server makes new ones only after an ANALYZE. A connection
 * with little to do keeps them longer: what there is to lose is little, and an idle worker sends few statements more than this one.
 */
const replanAfterMs = { busy: 10_000, idle: 60_000 };
/** From so many calls on a connection is busy. */
const callsOfBusy = 20;
/** The statement is not there, or is there already: a pooler hands out other connections than it was prepared on. Or the tables have changed below it. */
const unusable = new Set(['26000', '42P05']);

interface Client {
  query(config: { text: string; query_timeout: number }): Promise<unknown>;
}

/**
 * Has the server plan a statement once for a connection, not for each call: planning takes longer than most of our statements. Turns
 * itself off where that does not work, as behind a pooler in transaction mode that does not follow prepared statements.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  private readonly plans = new WeakMap<object, { madeAt: number; calls: number }>();

  constructor(
    private enabled: boolean,
    private readonly monotonic: () => number,
  ) {}

  /** What to call a statement on this connection; undefined: not to be prepared. May have to send something before, with this deadline: then it is a promise. */
  nameOn(
    client: Client,
    statement: string | undefined,
    text: string,
    query_timeout: number,
  ): string | undefined | Promise<string> {
    if (!this.enabled || statement === undefined) return undefined;
    const now = this.monotonic();
    const plans = this.plans.get(client);
    if (plans === undefined) {
      this.plans.set(client, { madeAt: now, calls: 1 });
    } else {
      plans.calls++;
      const { busy, idle } = replanAfterMs;
      if (now - plans.madeAt >= (plans.calls > callsOfBusy ? busy : idle)) {
        this.plans.set(client, { madeAt: now, calls: 1 });
        return client
          .query({ text: 'discard plans', query_timeout })
          .then(() => this.nameOf(statement, text));
      }
    }
    return this.nameOf(statement, text);
  }

  /** Whether an error was about the preparing, so that the call may be repeated: nothing was done, and nothing is prepared from now on. */
  gaveUpOn(sqlState: string | null, message: string): boolean {
    const failed = unusable.has(sqlState ?? '') || (sqlState === '0A000' && message.includes('cached plan'));
    if (failed) this.enabled = false;
    return failed;
  }

  /** Tells texts apart: behind a pooler a connection may have been another application's, with statements of the same names. */
  private nameOf(statement: string, text: string): string {
    let name = this.names.get(statement);
    if (name === undefined) {
      const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
      this.names.set(statement, (name = `chronis_${statement}_${hash}`));
    }
    return name;
  }
}
