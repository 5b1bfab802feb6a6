import { keptMs, longestKeptMs, outcomes, type Pruned, type Retention } from '../model/retention.js';
import type { Outcome } from '../model/verdict.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import type { Forgetting } from './forgetting.js';
import type { Run } from './statement.runner.js';

const rowsPerRound = 5_000;
const dayMs = 86_400_000;
/** A row is written soon after the attempt has ended, but not at once where the database was away. */
const lateMs = 3_600_000;

/**
 * Forgets the outcomes that are kept for a shorter time than others. What is kept longer stays in between, so a look from the beginning
 * would pass over ever more of it: each process looks once through the whole ledger, a day at a time, and from then on at what has grown too old since.
 */
export class OutcomePruning {
  private readonly forgottenUntil = new Map<Outcome, EpochMs>();
  /** Where the first row was that somebody had locked: the next look through begins there. */
  private readonly passedOver = new Map<Outcome, EpochMs>();

  /** One step for each outcome. */
  async step(
    run: Run,
    now: EpochMs,
    retention: Retention,
    forgetting: Forgetting,
  ): Promise<Pick<Pruned, 'attempts' | 'more'>> {
    const longest = longestKeptMs(retention);
    let attempts = 0;
    let more = false;
    for (const outcome of outcomes) {
      const horizon = now - keptMs(retention, outcome);
      if (horizon === now - longest) continue;
      const from = this.forgottenUntil.get(outcome) ?? (await beginning(run)) ?? horizon;
      const until = Math.min(from + dayMs, horizon);
      const values = [outcome, from - lateMs, until];
      const { count, found } = await forgetting.forget(run, now, 'forgetOutcome', rowsPerRound, ...values);
      attempts += count;
      const through = count < rowsPerRound;
      if (through && found > count && !this.passedOver.has(outcome)) this.passedOver.set(outcome, from);
      this.forgottenUntil.set(outcome, through ? Math.max(until, from) : from);
      if (through && until >= horizon) this.comeBack(outcome);
      if (!through || until < horizon) more = true;
    }
    return { attempts, more };
  }

  private comeBack(outcome: Outcome): void {
    const from = this.passedOver.get(outcome);
    if (from === undefined) return;
    this.passedOver.delete(outcome);
    this.forgottenUntil.set(outcome, from);
  }
}

async function beginning(run: Run): Promise<EpochMs | null> {
  const [{ oldest }] = await run<{ oldest: EpochMs | null }>('oldestAttempt');
  return oldest;
}
