import { InvalidPayloadError, StorageError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import { isRefusal } from './refusals.js';
import { messageOf, sqlStateOf } from './sql.errors.js';
import type { StatementName } from './statements.js';

const toFire = 'fire a schedule';
const toLetGo = 'let a run go that waited for others';
const toMoveOn = 'move a workflow on';
const toClaim = 'claim a run';
const toSettle = 'store the verdict of a run';
const toRelease = 'take back the runs of a worker that has died';
const toCount = 'count what the ledger comes to';
const toForget = 'delete what is older than it is kept';

/** What the statements of the loop and of the janitor are for: no caller has given what they store. The others store what a caller gave. */
const purposes: ReadonlyMap<StatementName, string> = new Map<StatementName, string>([
  ['dueCursors', 'look for schedules that are due'],
  ['nextWake', 'look for what is due next'],
  ['readNews', 'read what concerns a worker'],
  ['fire', toFire],
  ['wakeDelayed', toFire],
  ['lockBlocking', toFire],
  ['claimFromOne', toClaim],
  ['claimFromSeveral', toClaim],
  ['claimGiven', toClaim],
  ['claimable', toClaim],
  ['claimsUnderWay', toClaim],
  ['settle', toSettle],
  ['settleBriefly', toSettle],
  ['settlePassing', toSettle],
  ['settleOneOffs', toSettle],
  ['settleRecurring', toSettle],
  ['unblock', toLetGo],
  ...(
    [
      'lockFlows',
      'lockFlowRuns',
      'advanceFlows',
      'advanceFlowsFor',
      'expandMaps',
      'growFlow',
      'openFlow',
      'abandonFlows',
      'dropFlow',
      'endFlows',
    ] as const
  ).map((name) => [name, toMoveOn] as const),
  ['findLostSteps', 'look for steps of workflows whose runs are gone'],
  ['readClaimedSteps', toClaim],
  ['giveBack', 'give back a run'],
  ['heldBy', 'look for the runs of a worker'],
  ['releaseLost', toRelease],
  ['releaseLeft', toRelease],
  ['endLost', toRelease],
  ['register', 'register a worker'],
  ['updateWorker', 'register a worker'],
  ['renew', 'renew the lease of a worker'],
  ['park', 'put long runs aside'],
  ['unregister', 'end the lease of a worker'],
  ['deferStranded', 'put off what no live worker can execute'],
  ['recallDeferred', 'bring forward what was put off'],
  ['liftOverdue', 'lift what is overdue'],
  ['uncarried', 'look for jobs that no live code declares'],
  ['wantedRetentions', toForget],
  ['ageRecord', toForget],
  ['findOutdated', toForget],
  ['oldestAttempt', toForget],
  ['forgetAttempts', toForget],
  ['forgetUndated', toForget],
  ['forgetOutcome', toForget],
  ['forgetGaps', toForget],
  ['forgetKept', toForget],
  ['forgetRunSteps', toForget],
  ['forgetFlows', toForget],
  ['forgetRunSignals', toForget],
  ['forgetDead', toForget],
  ['forgetWorkers', toForget],
  ['forgetDefinitions', toForget],
  ['forgetBinaries', toForget],
  ['forgetAudit', toForget],
  ['forgetRunLogs', toForget],
  ['forgetBulkActions', toForget],
  ['forgetRunProgress', toForget],
  ['reportRunProgress', 'write how far runs are'],
  ['appendRunLogs', 'write what runs have logged'],
  ['dropLogParts', 'write what runs have logged'],
  ['forgetFlowHistory', toForget],
  ['forgetDefinitionHistory', toForget],
  ['rollUpMinutes', toCount],
  ['rollUpHours', toCount],
  ['rollUpDays', toCount],
  ['lockRollups', toCount],
  ['markRollups', toCount],
  ['compareRollups', toCount],
  ['forgetRollups', toForget],
]);

/** Who calls for these divides what the server refuses by this error. */
const divided = new Set([toFire, toSettle, toLetGo, toMoveOn]);
/** What handlers return and throw may be beyond encodings and limits; all else that is refused lies in the tables. */
const ofResults = new Set(['22021', '22P05', '54000', '54001']);
const wayOut =
  'Look in the tables for a value that was changed by hand, a trigger or a constraint that was added.';

/** The error of a statement, told by what that was for where the server refuses what it does to some row. */
export function withPurpose(statement: StatementName, error: unknown): unknown {
  const purpose = purposes.get(statement);
  if (purpose === undefined || !isRefusal(error)) return error;
  const { cause } = error as Error;
  const said = messageOf(cause);
  const end = ofResults.has(sqlStateOf(error) ?? '') ? '' : `${/[.!?]$/.test(said) ? '' : '.'} ${wayOut}`;
  const isDivided = isOf(error, InvalidPayloadError) && divided.has(purpose);
  const [what, why] = [`PostgreSQL cannot ${purpose}`, `${said}${end}`];
  return isDivided
    ? Object.assign(new InvalidPayloadError(what, why), { cause })
    : new StorageError(`${what}: ${why}`, { cause });
}
