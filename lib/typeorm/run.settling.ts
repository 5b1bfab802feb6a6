import { StorageError } from '../model/errors.js';
import type { ClaimedRun } from '../model/run.js';
import type { EpochMs, Hands, NewFlow, NewJob, Settlement, SettleResult } from '../ports/storage.adapter.js';
import { lockNotAvailable, sqlStateOf } from './sql.errors.js';
import { eachFlow, flowsOf } from './flow.groups.js';
import { countSteps, type MoreSteps } from './flow.counting.js';
import { FlowHands } from './flow.hands.js';
import { openFlow } from './flow.opening.js';
import { endFlows } from './flow.verdicts.js';
import { bearCallbacks } from './job.insertion.js';
import { takeOpen } from './open.runs.js';
import type { SettlementPatience } from './settlement.patience.js';
import { conclude, lockFlows, tellFlows, type EndedRow } from './run.conclusion.js';
import { resultsOf, settlementColumns } from './settlement.columns.js';
import type { Run, StatementRunner, StatementScope } from './statement.runner.js';

/** As many as the server supposes in a list that it does not know: what it plans for these holds for fewer. */
const fewEnds = 10;

export async function settle(
  statements: StatementRunner,
  patience: SettlementPatience,
  settlements: readonly Settlement[],
  hands?: Hands,
): Promise<SettleResult> {
  const groups = byWorker(settlements);
  if (groups.length === 1) return settleOf(statements, patience, settlements, hands);
  const result: SettleResult = { accepted: [], locked: [] };
  for (const some of groups) {
    const { accepted, locked } = await settleOf(statements, patience, some);
    result.accepted.push(...accepted);
    result.locked.push(...locked);
  }
  return result;
}

/** False: it is not open. */
export function settleOpen(
  statements: StatementScope,
  runId: string,
  judge: (run: ClaimedRun, now: EpochMs) => Settlement,
): Promise<boolean> {
  return statements.change(async ({ run }) => {
    const open = await takeOpen(run, runId);
    if (open === null) return false;
    const { accepted } = await settleWithin(run, [judge(open.taken, open.now)], 'settle');
    if (accepted.length === 1) return true;
    throw new StorageError(
      `The verdict of the open run ${runId} could not be written, though it was at hand.`,
    );
  });
}

/** The settlements of each worker: of one, unless a process has lost its lease. */
function byWorker(settlements: readonly Settlement[]): (readonly Settlement[])[] {
  if (settlements.every(({ worker }) => worker === settlements[0]!.worker)) return [settlements];
  const groups = new Map<string, Settlement[]>();
  for (const settlement of settlements) {
    const group = groups.get(settlement.worker);
    if (group) group.push(settlement);
    else groups.set(settlement.worker, [settlement]);
  }
  return [...groups.values()];
}

/** The quick statements wait for locks, a moment only. Then those that are free are told from those that are not, which costs more. */
async function settleOf(
  statements: StatementRunner,
  patience: SettlementPatience,
  settlements: readonly Settlement[],
  hands?: Hands,
): Promise<SettleResult> {
  const accepted: string[] = [];
  try {
    let born: BornRuns = {};
    for await (const { accepted: ids, ...some } of settleQuickly(statements, patience, settlements, hands)) {
      accepted.push(...ids);
      born = some;
    }
    return { accepted, locked: [], ...born };
  } catch (error) {
    if (sqlStateOf(error) !== lockNotAvailable) throw error;
  }
  const rest = without(settlements, accepted);
  if (rest.length === 0) return { accepted, locked: [] };
  const passed = await patience.during(() => settlePassing(statements, patience, rest));
  return { accepted: [...accepted, ...passed.accepted], locked: passed.locked };
}

type BornRuns = Pick<SettleResult, 'taken' | 'bornAt'>;

interface SettledQuickly extends BornRuns {
  accepted: readonly string[];
}

/** What each statement has accepted, in the end with what it bore. Runs that others wait for, steps of workflows and those with callbacks take a transaction. */
async function* settleQuickly(
  statements: StatementRunner,
  patience: SettlementPatience,
  settlements: readonly Settlement[],
  hands: Hands | undefined,
): AsyncGenerator<SettledQuickly> {
  const within = (some: readonly Settlement[]): Promise<SettleResult> =>
    patience.during(() =>
      statements.change(
        ({ run }) => settleWithin(run, some, 'settleBriefly', { lockMs: patience.ms, hands }),
        { keepsPlans: some.length <= fewEnds },
      ),
    );
  const { oneOffs, recurring, rest } = sorted(settlements);
  for (const [statement, plain] of [
    ['settleOneOffs', oneOffs],
    ['settleRecurring', recurring],
  ] as const) {
    const ids = await settlePlain(statements, patience, statement, plain);
    yield { accepted: ids };
    if (ids.length < plain.length) rest.push(...without(plain, ids));
  }
  if (rest.length === 0) return;
  if (rest.some(({ callback, flow, flowStep }) => callback || flow || flowStep)) {
    yield await within(rest);
    return;
  }
  const values = [...settlementColumns(rest), false, String(patience.ms)];
  const rows = await patience.during(() => statements.run<SettledRow>('settleBriefly', ...values));
  yield { accepted: rows.filter((row) => !row.deferred).map(({ id }) => id) };
  const deferred = rows.filter((row) => row.deferred).map(({ id }) => id);
  if (deferred.length === 0) return;
  yield await within(only(rest, deferred));
}

async function settlePassing(
  statements: StatementRunner,
  patience: SettlementPatience,
  settlements: readonly Settlement[],
): Promise<SettleResult> {
  const flows = await flowsOf(
    statements.run,
    settlements.map(({ runId }) => runId),
  );
  const flowOf = ({ runId, flow }: Settlement) => flows.get(runId) ?? (flow ? runId : undefined);
  const plain = settlements.filter((settlement) => flowOf(settlement) === undefined);
  const result: SettleResult = { accepted: [], locked: [] };
  if (plain.length > 0) {
    Object.assign(result, await statements.change(({ run }) => settleWithin(run, plain, 'settlePassing')));
  }
  const ofFlows = settlements.flatMap((settlement) => {
    const flow = flowOf(settlement);
    return flow === undefined ? [] : [[flow, settlement] as const];
  });
  const locked = await eachFlow(ofFlows, async (some) => {
    const { accepted } = await statements.change(({ run }) =>
      settleWithin(run, some, 'settleBriefly', { lockMs: patience.ms }),
    );
    result.accepted.push(...accepted);
    return 'done';
  });
  result.locked.push(...locked.map(({ runId }) => runId));
  return result;
}

/** By a quicker statement, which passes over what it cannot write. */
async function settlePlain(
  statements: StatementRunner,
  patience: SettlementPatience,
  statement: 'settleOneOffs' | 'settleRecurring',
  plain: Settlement[],
): Promise<readonly string[]> {
  if (plain.length === 0) return [];
  const values = [...plainColumns(plain.sort(byRunId)), String(patience.ms)];
  const [answer] = await patience.during(() => statements.run<PlainAnswer>(statement, ...values));
  return answer.settled === plain.length ? plain.map(({ runId }) => runId) : (answer.ids ?? []);
}

/** `ids`: null where it has settled all, or none. */
interface PlainAnswer {
  settled: number;
  ids: string[] | null;
}

/** `deferred`: others wait for it · `locked`: by somebody else. Nothing was written for either. */
interface SettledRow extends EndedRow {
  fence: number;
  deferred: boolean;
  locked: boolean;
  /** The step of a workflow that was left open; null: none. */
  opens: string | null;
}

const byRunId = (a: Settlement, b: Settlement): number =>
  a.runId.length - b.runId.length || (a.runId < b.runId ? -1 : Number(a.runId !== b.runId));

/** By what can write them: the quicker statements, or none of these. */
function sorted(settlements: readonly Settlement[]): Record<'oneOffs' | 'recurring' | 'rest', Settlement[]> {
  const oneOffs: Settlement[] = [];
  const recurring: Settlement[] = [];
  const rest: Settlement[] = [];
  for (const settlement of settlements) {
    const { oneOff, outcome, callback, retryAt, error, flowStep } = settlement;
    const isPlain = outcome === 'succeeded' && !callback && !flowStep && retryAt === null && error === null;
    if (!isPlain || oneOff === undefined) rest.push(settlement);
    else if (oneOff) oneOffs.push(settlement);
    else recurring.push(settlement);
  }
  return { oneOffs, recurring, rest };
}

/** In one transaction, which must be at READ COMMITTED; `settle` waits for locks as long as that one may, `settleBriefly` for `lockMs`. `hands`: see `StorageAdapter.settle`. */
export async function settleWithin(
  run: Run,
  settlements: readonly Settlement[],
  statement: 'settle' | 'settleBriefly' | 'settlePassing',
  { lockMs, hands: given }: { lockMs?: number; hands?: Hands } = {},
): Promise<SettleResult> {
  const values = [...settlementColumns(settlements), true, ...(lockMs === undefined ? [] : [String(lockMs)])];
  const rows = await run<SettledRow>(statement, ...values);
  const settled = rows.filter(({ locked }) => !locked);
  const hands = given === undefined ? null : new FlowHands(given);
  await countWithin(run, settlements, settled);
  await openFlows(run, settlements, settled);
  await conclude(run, settled, settlements, hands);
  const decided = new Set(settled.filter(({ final }) => final).map(({ id, fence }) => `${id} ${fence}`));
  const called = new Map<string, NewJob>();
  for (const { runId, fence, callback } of settlements) {
    if (callback && decided.has(`${runId} ${fence}`)) called.set(runId, callback);
  }
  await bearCallbacks(run, [...called.values()]);
  const locked = rows.filter((row) => row.locked);
  const result = { accepted: settled.map(({ id }) => id), locked: locked.map(({ id }) => id) };
  if (hands === null) return result;
  const { taken, bornAt, isAll } = hands;
  // What else it sets off is not known: growth, an end of a run that is no step, a callback, a flow that opens.
  const isKnown = isAll && called.size === 0 && settlements.every(isPlainStep);
  return { ...result, ...(taken.length > 0 && { taken }), ...(isKnown && { bornAt }) };
}

/** What opens within others is counted with these, behind the locks that `conclude` takes: in one order with what else ends. Throws InvalidWorkflowError. */
async function countWithin(
  run: Run,
  settlements: readonly Settlement[],
  settled: readonly SettledRow[],
): Promise<void> {
  const opening = new Map(settled.flatMap(({ id, opens }) => (opens === null ? [] : [[id, opens] as const])));
  if (opening.size === 0) return;
  const more: MoreSteps[] = [];
  for (const { runId, outcome, flow } of settlements) {
    const by = opening.get(runId);
    if (!by || !flow || outcome !== 'opened') continue;
    more.push({ by, count: flow.steps.length, workflow: flow.workflow });
  }
  if (more.length === 0) return;
  const ends = settled.flatMap(({ flow_end }) => flow_end ?? []);
  await lockFlows(run, {
    steps: [...more.map(({ by }) => by), ...ends.flatMap(({ step }) => step ?? [])],
    left: ends.flatMap(({ flow }) => flow ?? []),
  });
  await countSteps(run, more);
}

/** Of what has not been cancelled meanwhile. */
async function openFlows(
  run: Run,
  settlements: readonly Settlement[],
  settled: readonly SettledRow[],
): Promise<void> {
  const opened = new Set(settled.filter(({ final }) => !final).map(({ id, fence }) => `${id} ${fence}`));
  for (const { runId, fence, outcome, flow } of settlements) {
    if (!flow || outcome !== 'opened' || !opened.has(`${runId} ${fence}`)) continue;
    const { id, active } = (await openFlow(run, runId, flow)) ?? (await openAnew(run, runId, flow));
    if (active > 0) continue;
    const over = await endFlows<EndedRow>(run, [id]);
    await conclude(run, over.rows, over.settlements);
  }
}

/** A run is one flow at most. */
async function openAnew(run: Run, runId: string, flow: NewFlow): Promise<{ id: string; active: number }> {
  const [before] = await run<{ id: string }>('findFlow', runId);
  await tellFlows(run, [], [before!.id]);
  await run('dropFlow', before!.id);
  return (await openFlow(run, runId, flow))!;
}

function plainColumns(settlements: readonly Settlement[]): unknown[] {
  const hasResult = settlements.some(({ result }) => result !== null);
  return [
    arrayOf(settlements.map(({ runId }) => runId)),
    arrayOf(settlements.map(({ fence }) => fence)),
    arrayOf(settlements.map(({ startedAt }) => startedAt)),
    arrayOf(settlements.map(({ finishedAt }) => finishedAt)),
    hasResult ? resultsOf(settlements) : null,
    settlements[0]!.worker,
  ];
}

/** An array of numbers as the server reads it; pg would put each into quotes. */
const arrayOf = (numbers: readonly (number | string)[]): string => `{${numbers.join(',')}}`;

function without(settlements: readonly Settlement[], runIds: readonly string[]): Settlement[] {
  const named = new Set(runIds);
  return settlements.filter(({ runId }) => !named.has(runId));
}

function only(settlements: readonly Settlement[], runIds: readonly string[]): Settlement[] {
  const named = new Set(runIds);
  return settlements.filter(({ runId }) => named.has(runId));
}

function isPlainStep({ flowStep, outcome }: Settlement): boolean {
  return outcome === 'succeeded' && flowStep !== undefined && !flowStep.added && !flowStep.joined;
}
