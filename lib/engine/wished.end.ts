import { InvalidWorkflowError } from '../model/errors.js';
import { policyOf } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { DurationInput } from '../model/trigger.js';
import type { NewFlow, StepEnd } from '../ports/storage.adapter.js';
import { parseDelay } from '../triggers/duration.js';
import type { Ending } from './attempt.ending.js';
import type { OpenDeadline } from './open.deadline.js';
import { growth, refuseOpenedStep } from './step.end.js';

/** So many workflows may be steps of each other. Those that start each other without end would grow faster than they can be cancelled. */
const deepest = 20;

/** What a handler has asked for while it ran, to be so when it returns. It is never changed, so that what is rolled back has what was before. */
export interface WishedEnd {
  /** How it ends; null: with what it returns. */
  readonly ending: Extract<Ending, { kind: 'snoozed' | 'opened' }> | null;
  /** What becomes of it as a step; null: nothing beside its result. */
  readonly step: StepEnd | null;
  /** Resolves when it is known that somebody has the handlers of what it adds; rejects where nobody has. Null: it is known. */
  readonly known: Promise<void> | null;
}

/** Throws InvalidScheduleError. */
export function snoozed(wish: WishedEnd | null, delay: DurationInput): WishedEnd {
  const ending = { kind: 'snoozed', delayMs: parseDelay(delay, 'delay') } as const;
  return { ending, step: stepOf(wish), known: knownOf(wish) };
}

/** Throws InvalidOptionError: a step that ends in its own way cannot be left open. */
export function opened(wish: WishedEnd | null, deadline: OpenDeadline): WishedEnd {
  if (stepOf(wish) !== null) refuseOpenedStep('context.open()');
  return { ending: { kind: 'opened', deadline }, step: null, known: null };
}

/** As a workflow. Its deadline is the run's own timeout, else `timeoutMs`; null: it has none. Throws InvalidWorkflowError: it is a step of too many. */
export function openedAsFlow(
  wish: WishedEnd | null,
  run: ClaimedRun,
  flow: NewFlow,
  timeoutMs: number | null,
): WishedEnd {
  const { depth, workflow } = run.flowStep ?? { depth: 0, workflow: '' };
  if (depth >= deepest) {
    throw new InvalidWorkflowError(
      flow.workflow,
      null,
      `it is a step of "${workflow}", which is ${deepest} workflows deep, and no more than that may be steps of each other. If they start each other without end, let one of them leave its step out by "when".`,
    );
  }
  const inMs = policyOf(run.policies, 'timeoutMs') ?? timeoutMs;
  return {
    ending: { kind: 'opened', deadline: inMs === null ? null : { inMs }, flow },
    step: stepOf(wish),
    known: knownOf(wish),
  };
}

/** `by`: the call that asks for it · `look`: whether somebody has the handlers of what it adds, see `known`. Throws InvalidOptionError. */
export function ofStep(
  wish: WishedEnd | null,
  by: string,
  more: StepEnd,
  look: (() => Promise<void>) | null,
): WishedEnd {
  if (wish?.ending?.kind === 'opened') refuseOpenedStep(by);
  const known = look === null ? knownOf(wish) : bothKnown(knownOf(wish), look());
  return { ending: wish?.ending ?? null, step: growth(stepOf(wish), more), known };
}

/** How a handler ends that returns this, whatever else it has asked for. */
export function returning(wish: WishedEnd | null, value: unknown): Ending {
  const step = stepOf(wish);
  return step === null ? { kind: 'returned', value } : { kind: 'returned', value, step };
}

function bothKnown(before: Promise<void> | null, more: Promise<void>): Promise<void> {
  const known = Promise.all([before, more]).then(() => undefined);
  // Nobody may ask for it, as where the attempt fails for another reason.
  known.catch(() => undefined);
  return known;
}

const stepOf = (wish: WishedEnd | null): StepEnd | null => (wish === null ? null : wish.step);
const knownOf = (wish: WishedEnd | null): Promise<void> | null => (wish === null ? null : wish.known);
