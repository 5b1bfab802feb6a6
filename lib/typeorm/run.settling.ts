import { InvalidPayloadError, StorageError } from '../model/errors.js';
import type { ClaimedRun } from '../model/run.js';
import type { EpochMs, Hands, Settlement, SettleResult } from '../ports/storage.adapter.js';
import { lockNotAvailable, sqlStateOf } from './sql.errors.js';
import { eachFlow, flowsOf } from './flow.groups.js';
import { takeOpen } from './open.runs.js';
import type { SettlementPatience } from './settlement.patience.js';
import { noteTraces } from './noted.traces.js';
import { inHalves, isRefusal } from './refusals.js';
import { resultsOf, settlementColumns } from './settlement.columns.js';
import { settleWithin, type SettledRow } from './settling.transaction.js';
import type { StatementRunner, StatementScope } from './statement.runner.js';

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
  const results: SettleResult[] = [];
  for (const some of groups) results.push(await settleOf(statements, patience, some));
  return {
    accepted: results.flatMap(({ accepted }) => accepted),
    locked: results.flatMap(({ locked }) => locked),
    refused: results.flatMap(({ refused = [] }) => refused),
  };
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

/** What the server refuses for one of them is found in halves, so that the others are written. */
async function settleOf(
  statements: StatementRunner,
  patience: SettlementPatience,
  settlements: readonly Settlement[],
  hands?: Hands,
): Promise<SettleResult> {
  const accepted: string[] = [];
  await noteTraces(statements.run, settlements);
  try {
    return await settleAll(statements, patience, settlements, accepted, hands);
  } catch (error) {
    if (!isRefusedForOne(error)) throw error;
    if (settlements.length === 1) return refusedFor(settlements, error);
  }
  const { results, refused, isInVain } = await inHalves(
    without(settlements, accepted),
    (some) => settleAll(statements, patience, without(some, accepted), accepted),
    { isOfOne: isRefusedForOne, hasProgress: () => accepted.length > 0 },
  );
  if (isInVain) throw refused[0]!.error;
  return {
    accepted,
    locked: results.flatMap(({ locked }) => locked),
    refused: refused.flatMap(({ item, error }) => refusedFor([item], error).refused),
  };
}

/** A value that no row can have is told as that. */
function isRefusedForOne(error: unknown): boolean {
  return isRefusal(error) && !(error instanceof InvalidPayloadError);
}

function refusedFor([{ runId }]: readonly Settlement[], error: unknown) {
  return { accepted: [], locked: [], refused: [{ runId, error }] };
}

/** The quick statements wait for locks, a moment only. Then those that are free are told from those that are not, which costs more. `accepted`: gets what was written, also where the rest fails. */
async function settleAll(
  statements: StatementRunner,
  patience: SettlementPatience,
  settlements: readonly Settlement[],
  accepted: string[],
  hands?: Hands,
): Promise<SettleResult> {
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
  return {
    accepted,
    locked: await patience.during(() => settlePassing(statements, patience, rest, accepted)),
  };
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

/** The ids of those that are locked. `accepted`: gets what was written, also where the rest fails. */
async function settlePassing(
  statements: StatementRunner,
  patience: SettlementPatience,
  settlements: readonly Settlement[],
  accepted: string[],
): Promise<string[]> {
  const flows = await flowsOf(
    statements.run,
    settlements.map(({ runId }) => runId),
  );
  const flowOf = ({ runId, flow }: Settlement) => flows.get(runId) ?? (flow ? runId : undefined);
  const plain = settlements.filter((settlement) => flowOf(settlement) === undefined);
  const locked: string[] = [];
  if (plain.length > 0) {
    const passed = await statements.change(({ run }) => settleWithin(run, plain, 'settlePassing'));
    accepted.push(...passed.accepted);
    locked.push(...passed.locked);
  }
  const ofFlows = settlements.flatMap((settlement) => {
    const flow = flowOf(settlement);
    return flow === undefined ? [] : [[flow, settlement] as const];
  });
  const left = await eachFlow(ofFlows, async (some) => {
    const passed = await statements.change(({ run }) =>
      settleWithin(run, some, 'settleBriefly', { lockMs: patience.ms }),
    );
    accepted.push(...passed.accepted);
    return 'done';
  });
  return [...locked, ...left.map(({ runId }) => runId)];
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
