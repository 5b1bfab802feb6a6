import type { StepVerdict } from '../model/verdict.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import type { FlowHands, HandedRun } from './flow.hands.js';
import { columns } from './rows.js';
import type { Run } from './statement.runner.js';

/** How a step has ended. */
export interface EndedStep {
  id: string;
  /** The run that has ended it; null: it had none, or is decided by others. */
  runId: string | null;
  verdict: StepVerdict;
  reason: string | null;
  /** As JSON. */
  result: string | null;
}

export interface Advance {
  decided: Omit<EndedStep, 'runId' | 'result'>[] | null;
  maps: string[] | null;
  flows: { id: string; active: number }[] | null;
}

interface FullAdvance extends Advance {
  /** Maps that go on with instances which they have. */
  resumed: string[] | null;
  /** Runs that go on with what those before them have left. */
  carried: { before: string; runId: string }[] | null;
}

/** Of the statement that hands over what is released. */
interface HandingAdvance extends FullAdvance {
  handed: HandedRun[] | null;
  born_at: EpochMs | null;
}

/**
 * Writes how steps of locked flows have ended, and all that follows, in rounds: what ends together is counted before anything is decided by it. Returns how many steps are under way, of those flows for which that has changed.
 * `fresh`: steps that may be released, or decided, by what they are. `hands`: who may begin what is released; null: anybody.
 */
export async function advanceFlows(
  run: Run,
  ended: readonly EndedStep[],
  fresh: readonly string[] = [],
  hands: FlowHands | null = null,
): Promise<Map<string, number>> {
  const active = new Map<string, number>();
  const take = ({ decided, flows }: Advance): EndedStep[] => {
    for (const { id, active: steps } of flows ?? []) active.set(id, steps);
    return (decided ?? []).map((each) => ({ ...each, runId: null, result: null }));
  };
  for (let [round, looked] = [[...ended], fresh]; round.length + looked.length > 0; looked = []) {
    const values = columns(round, ['id', 'runId', 'verdict', 'reason', 'result']);
    const moved = await advanceOnce(run, [...values, looked], hands);
    round = take(moved);
    const { maps, resumed, carried } = moved;
    if (carried !== null) await run('carryRuns', ...columns(carried, ['before', 'runId']));
    if (resumed !== null) {
      if (hands !== null) hands.isAll = false;
      await run('resumeMaps', resumed);
    }
    if (maps === null) continue;
    if (hands !== null) hands.isAll = false;
    round.push(...take((await run<Advance>('expandMaps', maps))[0]!));
  }
  return active;
}

async function advanceOnce(
  run: Run,
  values: readonly unknown[],
  hands: FlowHands | null,
): Promise<FullAdvance> {
  if (hands === null) return (await run<FullAdvance>('advanceFlows', ...values))[0]!;
  const [moved] = await run<HandingAdvance>('advanceFlowsFor', ...values, ...hands.values);
  hands.note(moved!.handed, moved!.born_at);
  return moved!;
}
