import { createHash } from 'node:crypto';

/** How long plans are used. Those made for empty tables are wrong for full ones, and the server makes new ones only after an ANALYZE. */
const replanAfterMs = 10_000;
/** The statement is not there, or is there already: a pooler hands out other connections than it was prepared on. Or the tables have changed below it. */
const unusable = new Set(['26000', '42P05']);

interface Client {
  query(text: string): Promise<unknown>;
}

/**
 * Has the server plan a statement once for a connection, not for each call: planning takes longer than most of our statements. Turns
 * itself off where that does not work, as behind a pooler in transaction mode that does not follow prepared statements.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  private readonly plannedAt = new WeakMap<object, number>();

  constructor(
    private enabled: boolean,
    private readonly monotonic: () => number,
  ) {}

  /** What to call a statement on this connection; undefined: not to be prepared. */
  async nameOn(client: Client, statement: string | undefined, text: string): Promise<string | undefined> {
    if (!this.enabled || statement === undefined) return undefined;
    const now = this.monotonic();
    const plannedAt = this.plannedAt.get(client);
    if (plannedAt === undefined) this.plannedAt.set(client, now);
    else if (now - plannedAt >= replanAfterMs) {
      this.plannedAt.set(client, now);
      await client.query('discard plans');
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
