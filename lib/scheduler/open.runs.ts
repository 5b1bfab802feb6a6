import type { HandlerRegistry } from '../engine/handler.registry.js';
import { pauseFailing } from '../engine/circuit.js';
import { RunTeller } from '../engine/run.teller.js';
import type { Ending } from '../engine/attempt.ending.js';
import { judge, type Judgement } from '../engine/settlement.js';
import { ChronisEvents } from '../events/chronis.events.js';
import {
  InvalidPayloadError,
  RunHasVerdictError,
  RunNotFoundError,
  RunNotOpenError,
} from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import { toJson, type JsonValue } from '../model/json.js';
import type { RetryRules } from '../model/retry.rules.js';
import type { ClaimedRun, RunState } from '../model/run.js';
import type { DurationInput } from '../model/trigger.js';
import type { RunVerdict } from '../model/verdict.js';
import type { Clock } from '../ports/clock.js';
import { maxStepResult } from '../ports/flows.js';
import { outside } from '../ports/outside.js';
import type { JobStore } from '../ports/storage.adapter.js';
import { parseDelay } from '../triggers/duration.js';
import type { JobAccess, ManagerOption } from './job.access.js';
import { refuseEnding } from './ending.flows.js';
import { inPlaceOf, wholeOf } from './later.run.js';
import { knownOptions, lineOfText } from './option.checks.js';

/** @publicApi */
export interface OpenRunOptions extends ManagerOption {
  /**
   * How long to wait for a run that is still executed to be left open: what the handler has set off may answer before it has returned. 0: not at all.
   * @default 5 seconds
   */
  wait?: DurationInput;
}

export const openRunKeys = ['manager', 'wait'] satisfies (keyof OpenRunOptions)[];

/** What became of an open run that has failed. @publicApi */
export interface FailedOpenRun {
  /** When it is tried again; null: it has given up. */
  retryAt: Date | null;
}

const defaultWaitMs = 5_000;
const firstPollMs = 10;
const slowestPollMs = 500;
/** The longest result that the ledger keeps, in characters of JSON. */
const longestResult = 65_536;

/** How long a result may be as JSON. */
interface ResultLimit {
  most: number;
  unit: 'characters' | 'bytes';
  sizeOf: (json: string) => number;
}

const ofRecord: ResultLimit = { most: longestResult, unit: 'characters', sizeOf: ({ length }) => length };
const ofStep: ResultLimit = {
  most: maxStepResult,
  unit: 'bytes',
  sizeOf: (json) => Buffer.byteLength(json),
};

const noRetries: RetryRules = { retryIf: () => false };

/** Gives open runs their verdicts from outside: as if a worker had executed them to that end. */
export class OpenRuns {
  private readonly silent = new ChronisEvents();

  constructor(
    private readonly clock: Clock,
    private readonly handlers: HandlerRegistry,
    private readonly events: ChronisEvents,
  ) {}

  async complete(runId: string, result: unknown, options: OpenRunOptions, access: JobAccess): Promise<void> {
    await this.endWith(runId, result, ofRecord, options, access);
  }

  /** The same for the step of a workflow, whose result may be longer. */
  async completeStep(
    runId: string,
    result: unknown,
    options: OpenRunOptions,
    access: JobAccess,
  ): Promise<void> {
    await this.endWith(runId, result, ofStep, options, access);
  }

  private async endWith(
    runId: string,
    result: unknown,
    limit: ResultLimit,
    options: OpenRunOptions,
    access: JobAccess,
  ): Promise<void> {
    const value = result === undefined ? null : toJson(result, 'result', Infinity, true);
    assertFits(value, limit);
    await this.end(runId, { kind: 'returned', value }, waitOf(options, 'complete()'), access);
  }

  async fail(
    runId: string,
    error: unknown,
    options: OpenRunOptions,
    access: JobAccess,
  ): Promise<FailedOpenRun> {
    const { settlement } = await this.end(runId, { kind: 'threw', error }, waitOf(options, 'fail()'), access);
    const { retryAt } = settlement;
    return { retryAt: retryAt === null ? null : new Date(retryAt) };
  }

  private async end(
    given: string,
    ending: Ending,
    waitMs: number,
    { jobs, changed, isJoined }: JobAccess,
  ): Promise<Judgement> {
    const runId = lineOfText(given, 'runId');
    const giveUpAt = this.clock.monotonic() + waitMs;
    // Its steps are over with it: another attempt would begin it anew, under the same id.
    const isFlow = ending.kind === 'threw' && ((await jobs.flows?.getFlow(runId)) ?? null) !== null;
    for (let pollMs = firstPollMs; ; pollMs = Math.min(2 * pollMs, slowestPollMs)) {
      let ended: { run: ClaimedRun; judgement: Judgement } | null = null;
      const isEnded = await jobs.settleOpen(runId, (run, now) => {
        const startedAt = Math.min(run.openedAt ?? now, now);
        const rules = isFlow ? noRetries : this.handlers.get(run.handler)?.rules;
        const judgement = judge(run, ending, null, { startedAt, finishedAt: now }, Math.random, rules)!;
        ended = { run, judgement };
        return judgement.settlement;
      });
      if (isEnded) {
        const { run, judgement } = ended!;
        await this.tell(run, judgement, jobs, isJoined);
        changed();
        return judgement;
      }
      const state = await stateGoingOn(runId, jobs);
      const leftMs = giveUpAt - this.clock.monotonic();
      if (state === 'open') {
        await refuseEnding(runId, jobs);
        continue;
      }
      if (state !== 'running' || leftMs <= 0) throw new RunNotOpenError(runId, state);
      await new Promise<void>((resolve) => void this.clock.setTimer(Math.min(pollMs, leftMs), resolve));
    }
  }

  /** Of what is not committed yet nobody is told. */
  private async tell(
    run: ClaimedRun,
    judgement: Judgement,
    jobs: JobStore,
    isJoined: boolean,
  ): Promise<void> {
    const failing: JobRef[] = [];
    const heard = {
      onSettled: () => undefined,
      onGaveUp: (some: readonly JobRef[]) => failing.push(...some),
    };
    new RunTeller(outside, isJoined ? this.silent : this.events, heard).tell(run, judgement);
    await pauseFailing(failing, jobs, this.events, isJoined);
  }
}

function waitOf(options: OpenRunOptions, call: string): number {
  knownOptions(options, openRunKeys, call);
  return options.wait === undefined ? defaultWaitMs : parseDelay(options.wait, 'wait');
}

/** The state of a run without verdict. Throws RunHasVerdictError, RunNotFoundError. */
export async function stateGoingOn(runId: string, jobs: JobStore): Promise<RunState> {
  const [run] = (await jobs.queryRuns({ runId }, { limit: 1 })).items;
  if (run && run.finishedAt === null) return run.state;
  const [last] = (await jobs.queryAttempts({ runId, finalOnly: true }, { limit: 1 })).items;
  const verdict = (last?.outcome ?? run?.state) as RunVerdict | undefined;
  if (verdict === undefined) throw new RunNotFoundError(runId);
  const { origin, jobId } = (last ?? run)!;
  const retry = await howToGoOn(runId, origin === 'workflow' ? jobId : null, jobs);
  throw new RunHasVerdictError(runId, verdict, last?.finishedAt ?? run!.finishedAt!, retry);
}

/** Why a run cannot be cancelled. */
export async function notGoingOn(runId: string, jobs: JobStore): Promise<Error> {
  try {
    await stateGoingOn(runId, jobs);
  } catch (error) {
    return error as Error;
  }
  // It was retried, or has begun, just now.
  return new RunNotFoundError(runId);
}

/** What may be done about a run that is over; undefined: it is one of a plain job. */
async function howToGoOn(runId: string, stepId: string | null, jobs: JobStore): Promise<string | undefined> {
  const later = await inPlaceOf(runId, jobs);
  if (later !== null)
    return `it was retried since, and the run "${later}" has taken its place: give that one, if it is meant`;
  if (stepId === null) {
    const isFlow = ((await jobs.flows?.getFlow(runId)) ?? null) !== null;
    return isFlow ? `a workflow that has failed goes on by workflows.retry("${runId}")` : undefined;
  }
  const whole = await wholeOf(stepId, jobs);
  const isStep = 'the run is that of a step, and is not retried by itself';
  if (whole === null) return `${isStep}; its workflow was pruned since`;
  const flow = await jobs.flows?.getFlow(whole);
  return flow?.verdict === 'succeeded'
    ? `${isStep}; its workflow has succeeded`
    : `${isStep}: if its workflow is over, workflows.retry("${whole}") lets that go on, with what has not ended well`;
}

/** Throws InvalidPayloadError. */
function assertFits(result: JsonValue, { most, unit, sizeOf }: ResultLimit): void {
  const size = sizeOf(JSON.stringify(result));
  if (size <= most) return;
  throw new InvalidPayloadError(
    'result',
    `is ${size} ${unit} as JSON, more than the limit of ${most}. Store large things elsewhere, and give where they are.`,
  );
}
