import { InvalidOptionError, RunNotFoundError, TooManySignalsError } from '../model/errors.js';
import type { DurableStep, DurableStepState } from '../model/durable.step.js';
import { toJson } from '../model/json.js';
import { mostRunSignals, type RunStep } from '../ports/storage.adapter.js';
import type { JobAccess } from './job.access.js';
import { inPlaceOf } from './later.run.js';
import { stateGoingOn } from './open.runs.js';
import { lineOfText } from './option.checks.js';

/** Brings something to the handler of a run that waits for it. */
export class RunSignals {
  constructor(private readonly payloadLimit: number) {}

  async send(runId: string, name: string, payload: unknown, { jobs, changed }: JobAccess): Promise<void> {
    const id = lineOfText(runId, 'runId');
    const signal = lineOfText(name, 'name');
    const value = payload === undefined ? null : toJson(payload, 'payload', this.payloadLimit, true);
    let to = id;
    let answer = await jobs.sendRunSignal(to, { name: signal, payload: value });
    // Who was told of a run, such as by a mail that one of its steps has sent, does not know that it was retried.
    const later = answer === null ? await inPlaceOf(id, jobs) : null;
    if (later !== null) answer = await jobs.sendRunSignal((to = later), { name: signal, payload: value });
    if (answer === 'full') throw new TooManySignalsError(to, signal, mostRunSignals);
    if (answer === 'unheard') throw new InvalidOptionError('runId', unheard(to));
    if (answer === null) {
      await stateGoingOn(to, jobs);
      throw new RunNotFoundError(to);
    }
    changed();
  }

  /** In the order in which they began. */
  async steps(runId: string, { jobs }: JobAccess): Promise<DurableStep[]> {
    const steps = await jobs.queryRunSteps(lineOfText(runId, 'runId'));
    return steps
      .toSorted((one, other) => one.startedAt - other.startedAt || placeOf(one) - placeOf(other))
      .map(toDurableStep);
  }
}

const placeOf = ({ position, ended }: RunStep): number => position ?? ended ?? Number.MAX_SAFE_INTEGER;

function toDurableStep(step: RunStep): DurableStep {
  const { name, kind, position, attempt, startedAt, finishedAt, failures, error, result } = step;
  const state = stateOf(step);
  const waits = state === 'sleeping' || state === 'waiting' || state === 'retrying';
  const until = step.until === null ? null : new Date(step.until);
  return {
    name,
    kind,
    state,
    position,
    attempt,
    startedAt: new Date(startedAt),
    finishedAt: finishedAt === null ? null : new Date(finishedAt),
    waitsFor: waits ? { until, signal: step.signal } : null,
    failures,
    error,
    result,
  };
}

function stateOf({ kind, finishedAt, until, timedOut }: RunStep): DurableStepState {
  if (timedOut) return 'timed_out';
  if (finishedAt !== null) return 'ended';
  if (kind === 'sleep') return 'sleeping';
  if (kind === 'signal') return 'waiting';
  return until === null ? 'failed' : 'retrying';
}

const unheard = (runId: string): string =>
  `the run ${runId} is a workflow, or a manual step of one, so no handler waits in it. Give the run of the step that waits, as graph() lists them; a manual step ends by workflows.complete().`;
