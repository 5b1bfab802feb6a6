import type { StorageAdapter } from '../../lib/index.js';
import { StruckStatements, type StrikePlace, type WatchedCall } from '../support/struck.statements.js';

/** Where in the end of a step: of its statements. */
export interface Place extends StrikePlace {
  step: string;
}

/** What has come of an attempt to end a step: its statements by their names, and whether the storage took it. */
export interface StepEnd {
  step: string;
  statements: string[];
  accepted: boolean;
}

interface Ending extends WatchedCall {
  steps: readonly string[];
}

/** Watches the statements of this process that end steps. */
export class StepEndsWatch {
  private readonly ending: StruckStatements<Ending>;
  private readonly stepOf = new Map<string, string>();
  private under: Promise<unknown> = Promise.resolve();

  /** `strike` is called at the place, and kept waiting for; what was to come comes after it. */
  constructor(
    schema: string,
    place: Place | null,
    strike: () => Promise<unknown>,
    private readonly tell: (end: StepEnd) => void,
  ) {
    const timeOf = ({ steps }: Ending, nth: number) =>
      place !== null && steps.includes(place.step) && place.nth === nth ? place.when : null;
    this.ending = new StruckStatements(schema, timeOf, strike);
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
    const sent = this.ending.within(ending, async () => call());
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
}
