import { DurableStepMismatchError } from '../model/errors.js';
import type { DurableStepKind } from '../model/durable.step.js';
import type { RunStep } from '../ports/storage.adapter.js';

/** Throws DurableStepMismatchError where an earlier attempt had another step here, or this one elsewhere. */
export function assertOrder(
  runId: string,
  name: string,
  position: number,
  known: RunStep | undefined,
  stored: ReadonlyMap<string, RunStep>,
): void {
  const wasElsewhere =
    known !== undefined && !hasFailed(known) && known.position !== null && known.position !== position;
  const there = [...stored.values()].find((step) => step.position === position && !hasFailed(step));
  if (!wasElsewhere && (there === undefined || there.name === name)) return;
  throw new DurableStepMismatchError(runId, name, position, there?.name ?? null);
}

/** Throws DurableStepMismatchError where an earlier attempt had something else by this name. */
export function assertKind(
  runId: string,
  known: RunStep,
  kind: DurableStepKind,
  signal: string | null,
  position: number | null,
): void {
  if (known.kind === kind && (kind !== 'signal' || known.signal === signal)) return;
  throw new DurableStepMismatchError(runId, known.name, position, described(known));
}

/** What an attempt may do in another way: the failures of steps are not kept. */
function hasFailed({ kind, finishedAt, until }: RunStep): boolean {
  return kind === 'step' && finishedAt === null && until === null;
}

function described({ kind, signal }: RunStep): string {
  return kind === 'signal' ? `a wait for ${signal}` : `a ${kind}`;
}
