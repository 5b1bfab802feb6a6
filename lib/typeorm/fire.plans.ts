import type { Clock } from '../ports/clock.js';
import type { Run } from './statement.runner.js';

/** How long a plan is taken for ready: connections throw theirs away now and then, see PreparedStatements. */
const readyForMs = 5_000;
/** The engine fires two portions at a time. */
const connections = 2;
/** The server makes a plan anew for each of the first five calls on a connection, then one for all that follow. */
const callsOfNewConnection = 6;

/**
 * Has the firing planned before the instant, when its cursors are read ahead: to plan it takes the server longer than to fire some hundred
 * cursors, and a connection that has never fired longer still.
 */
export class FirePlans {
  private readyUntil = -Infinity;
  private isFirst = true;

  constructor(
    private readonly run: Run,
    private readonly clock: Pick<Clock, 'monotonic'>,
  ) {}

  /**
   * For an instant that comes in so many ms. Nothing is prepared for one that is more than `readyForMs` away: by then connections may have thrown their plans away. Such an instant was read
   * only to be told, as each start tells what is next. Never rejects.
   */
  async prepare(inMs: number): Promise<void> {
    const now = this.clock.monotonic();
    if (inMs <= 0 || inMs > readyForMs || now < this.readyUntil) return;
    this.readyUntil = now + readyForMs;
    const calls = this.isFirst ? callsOfNewConnection : 1;
    this.isFirst = false;
    try {
      for (let call = 0; call < calls; call++) {
        await Promise.all(Array.from({ length: connections }, () => this.fireNothing()));
      }
    } catch {
      // It is planned when it is needed, then.
    }
  }

  /** Something is fired, which serves as well. */
  used(): void {
    if (!this.isFirst) this.readyUntil = this.clock.monotonic() + readyForMs;
  }

  private fireNothing(): Promise<unknown> {
    const nothing = Array<[]>(17).fill([]);
    return this.run('fire', '', [], [], 0, 0, ...nothing, '', null);
  }
}
