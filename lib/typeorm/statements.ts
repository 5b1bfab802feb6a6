import { abandonFlowsSql } from './sql/abandon.flows.sql.js';
import { advanceFlowsSql } from './sql/advance.flows.sql.js';
import { endFlowsSql } from './sql/end.flows.sql.js';
import { expandMapsSql } from './sql/expand.maps.sql.js';
import { lockFlowRunsSql } from './sql/lock.flow.runs.sql.js';
import { lockFlowsSql } from './sql/lock.flows.sql.js';
import { openFlowSql } from './sql/open.flow.sql.js';
import { readBadStepsSql } from './sql/read.bad.steps.sql.js';
import { readClaimedStepsSql } from './sql/read.claimed.steps.sql.js';
import { readLastResultsSql } from './sql/read.last.results.sql.js';
import { countStepsSql } from './sql/count.steps.sql.js';
import { findFlowSql, laterRunSql } from './sql/find.flow.sql.js';
import { forgetFiredSql } from './sql/forget.fired.sql.js';
import { forgetFlowHistorySql } from './sql/forget.flow.history.sql.js';
import { forgetDefinitionHistorySql } from './sql/forget.definition.history.sql.js';
import { forgetReleasesSql } from './sql/forget.releases.sql.js';
import { appendRunLogsSql } from './sql/append.run.logs.sql.js';
import {
  abortBulkActionSql,
  beginBulkActionSql,
  listBulkActionsSql,
  readBulkActionSql,
  reportBulkActionSql,
} from './sql/bulk.actions.sql.js';
import { forgetBulkActionsSql } from './sql/forget.bulk.actions.sql.js';
import { forgetRunLogsSql } from './sql/forget.run.logs.sql.js';
import { forgetRunProgressSql } from './sql/forget.run.progress.sql.js';
import { reportRunProgressSql } from './sql/report.run.progress.sql.js';
import { dropLogPartsSql, lockRunLogSql, readRunLogSql } from './sql/read.run.log.sql.js';
import { forgetAuditSql } from './sql/forget.audit.sql.js';
import { recordAuditSql } from './sql/record.audit.sql.js';
import { forgetBinariesSql } from './sql/forget.binaries.sql.js';
import { putBinarySql, useBinarySql } from './sql/use.binary.sql.js';
import { forgetFlowsSql } from './sql/forget.flows.sql.js';
import { flowsWithinSql, setFlowPauseSql } from './sql/set.flow.pause.sql.js';
import { growFlowSql } from './sql/grow.flow.sql.js';
import { locateStepsSql } from './sql/locate.steps.sql.js';
import { readRunFlowsSql } from './sql/read.run.flows.sql.js';
import { readStepsBehindSql } from './sql/read.steps.behind.sql.js';
import { readStepsByNameSql } from './sql/read.steps.by.name.sql.js';
import { findLostStepsSql } from './sql/find.lost.steps.sql.js';
import { dropStepsSql } from './sql/drop.steps.sql.js';
import { readAllStepsSql } from './sql/read.all.steps.sql.js';
import { readRetriedFlowSql } from './sql/read.retried.flow.sql.js';
import { readRunningStepsSql } from './sql/read.running.steps.sql.js';
import { recountFlowSql } from './sql/recount.flow.sql.js';
import { releaseStepsSql } from './sql/release.steps.sql.js';
import { carryRunsSql } from './sql/carry.runs.sql.js';
import { resumeMapsSql } from './sql/resume.maps.sql.js';
import { reopenFlowSql } from './sql/reopen.flow.sql.js';
import { resetStepsSql } from './sql/reset.steps.sql.js';
import { advanceWaitsSql, lockWaitingSql, moveWaitsSql } from './sql/advance.waits.sql.js';
import { findLostWaitsSql } from './sql/find.lost.waits.sql.js';
import { lockParentsSql, readLastVerdictSql } from './sql/lock.parents.sql.js';
import { storeWaitsSql } from './sql/store.waits.sql.js';
import { acquireLockSql } from './sql/acquire.lock.sql.js';
import { addGapSql } from './sql/add.gap.sql.js';
import { awaitRunSql } from './sql/await.run.sql.js';
import { backfillSql } from './sql/backfill.sql.js';
import { bearOneOffSql } from './sql/bear.one.off.sql.js';
import { bearRecurringSql } from './sql/bear.recurring.sql.js';
import { claimableSql, claimGivenSql, claimSql } from './sql/claim.sql.js';
import { claimsUnderWaySql } from './sql/claims.under.way.sql.js';
import { closeGapSql } from './sql/close.gap.sql.js';
import { deferStrandedSql } from './sql/defer.stranded.sql.js';
import { deleteDefinitionSql } from './sql/delete.definition.sql.js';
import { deleteJobSql } from './sql/delete.job.sql.js';
import { detachRunsSql } from './sql/detach.runs.sql.js';
import { discardRunsSql } from './sql/discard.runs.sql.js';
import { dropFlowSql } from './sql/drop.flow.sql.js';
import { dropRunsSql } from './sql/drop.runs.sql.js';
import { dueCursorsSql } from './sql/due.cursors.sql.js';
import { setPauseEndsSql } from './sql/set.pause.ends.sql.js';
import { duePauseEndsSql } from './sql/due.pause.ends.sql.js';
import { takePauseEndsSql } from './sql/take.pause.ends.sql.js';
import { takeScopeEndSql } from './sql/take.scope.end.sql.js';
import { queryOverdueSql } from './sql/query.overdue.sql.js';
import { noteOverdueSql } from './sql/note.overdue.sql.js';
import { stalePausesSql } from './sql/stale.pauses.sql.js';
import { notePausesSql } from './sql/note.pauses.sql.js';
import { endPauseSql } from './sql/end.pause.sql.js';
import { endWaitingSql } from './sql/end.waiting.sql.js';
import { extendLockSql } from './sql/extend.lock.sql.js';
import { findOutdatedSql } from './sql/find.outdated.sql.js';
import { fireSql } from './sql/fire.sql.js';
import { forgetAttemptsSql } from './sql/forget.attempts.sql.js';
import { forgetDefinitionsSql } from './sql/forget.definitions.sql.js';
import { forgetDeadSql } from './sql/forget.dead.sql.js';
import { forgetGapsSql } from './sql/forget.gaps.sql.js';
import { forgetKeptSql } from './sql/forget.kept.sql.js';
import { forgetOutcomeSql } from './sql/forget.outcome.sql.js';
import { oldestAttemptSql } from './sql/oldest.attempt.sql.js';
import { ageRecordSql } from './sql/age.record.sql.js';
import { forgetWorkersSql } from './sql/forget.workers.sql.js';
import { getDefinitionSql } from './sql/get.definition.sql.js';
import { getJobsSql } from './sql/get.jobs.sql.js';
import { giveBackSql } from './sql/give.back.sql.js';
import { graspJobsSql } from './sql/grasp.jobs.sql.js';
import { heldBySql } from './sql/held.by.sql.js';
import { holdRunsSql } from './sql/hold.runs.sql.js';
import { insertOneOffsSql } from './sql/insert.one.offs.sql.js';
import { insertRecurringSql } from './sql/insert.recurring.sql.js';
import { inspectLockSql } from './sql/inspect.lock.sql.js';
import { liftOverdueSql } from './sql/lift.overdue.sql.js';
import { lockTextSql } from './sql/lock.text.sql.js';
import { lockBlockingSql } from './sql/lock.blocking.sql.js';
import { lockCursorSql } from './sql/lock.cursor.sql.js';
import { lockJobsSql } from './sql/lock.jobs.sql.js';
import { lockPauseSql } from './sql/lock.pause.sql.js';
import { lockQueueSql } from './sql/lock.queue.sql.js';
import { lockRunSql } from './sql/lock.run.sql.js';
import { lockBornAheadSql } from './sql/lock.born.ahead.sql.js';
import { lockRunsSql } from './sql/lock.runs.sql.js';
import { markJobSql } from './sql/mark.job.sql.js';
import { moveCursorsSql } from './sql/move.cursors.sql.js';
import { nextWakeSql } from './sql/next.wake.sql.js';
import { openGapSql } from './sql/open.gap.sql.js';
import { orphanInsertedSql } from './sql/orphan.inserted.sql.js';
import { parkSql } from './sql/park.sql.js';
import { pauseScopeSql } from './sql/pause.scope.sql.js';
import { putDefinitionsSql } from './sql/put.definitions.sql.js';
import { putCursorSql } from './sql/put.cursor.sql.js';
import { queryPausesSql } from './sql/query.pauses.sql.js';
import { queryWorkersSql } from './sql/query.workers.sql.js';
import { takeStockSql } from './sql/take.stock.sql.js';
import { readNewsSql } from './sql/read.news.sql.js';
import { readOneOffRunSql } from './sql/read.one.off.run.sql.js';
import { readOneOffsSql } from './sql/read.one.offs.sql.js';
import { readRecurringSql } from './sql/read.recurring.sql.js';
import { readStatisticsSql } from './sql/read.statistics.sql.js';
import { readExactTimeSql, readTimeSql } from './sql/read.time.sql.js';
import { forgetRunSignalsSql } from './sql/forget.run.signals.sql.js';
import { forgetRunStepsSql } from './sql/forget.run.steps.sql.js';
import { queryRunStepsSql } from './sql/query.run.steps.sql.js';
import { recordRunStepSql } from './sql/record.run.step.sql.js';
import { recordStepWaitSql } from './sql/record.step.wait.sql.js';
import { awaitSignalSql } from './sql/await.signal.sql.js';
import { sendRunSignalSql } from './sql/send.run.signal.sql.js';
import { takeRunSignalSql } from './sql/take.run.signal.sql.js';
import { recallDeferredSql } from './sql/recall.deferred.sql.js';
import { registerSql } from './sql/register.sql.js';
import { releaseLockSql } from './sql/release.lock.sql.js';
import { releaseLostSql } from './sql/release.lost.sql.js';
import { releaseRunsSql } from './sql/release.runs.sql.js';
import { removeCursorSql } from './sql/remove.cursor.sql.js';
import { renamedElsewhereSql } from './sql/renamed.elsewhere.sql.js';
import { renameKeySql } from './sql/rename.key.sql.js';
import { renewSql } from './sql/renew.sql.js';
import { requestCancelSql } from './sql/request.cancel.sql.js';
import { carryTraceSql } from './sql/carry.trace.sql.js';
import { noteTracesSql } from './sql/note.traces.sql.js';
import { retryRunsSql } from './sql/retry.runs.sql.js';
import { runManuallySql } from './sql/run.manually.sql.js';
import { runOneOffNowSql } from './sql/run.one.off.now.sql.js';
import { setGenerationSql } from './sql/set.generation.sql.js';
import { setPauseSql } from './sql/set.pause.sql.js';
import { settleOneOffsSql } from './sql/settle.one.offs.sql.js';
import { settleRecurringSql } from './sql/settle.recurring.sql.js';
import { settleSql } from './sql/settle.sql.js';
import { readZoneDataSql } from './sql/read.zone.data.sql.js';
import { lockZoneDataSql } from './sql/lock.zone.data.sql.js';
import { noteZoneDataSql } from './sql/note.zone.data.sql.js';
import { setZoneDataSql } from './sql/set.zone.data.sql.js';
import { standingCursorsSql } from './sql/standing.cursors.sql.js';
import type { TableNames } from './sql/table.names.js';
import { stoppedCursorsSql } from './sql/stopped.cursors.sql.js';
import { unblockSql } from './sql/unblock.sql.js';
import { unmetInstantsSql } from './sql/unmet.instants.sql.js';
import { unservedStepsSql } from './sql/unserved.steps.sql.js';
import { unregisterSql } from './sql/unregister.sql.js';
import { updateCursorSql } from './sql/update.cursor.sql.js';
import { setTriggerSql } from './sql/set.trigger.sql.js';
import { updateJobSql } from './sql/update.job.sql.js';
import { updateOneOffSql } from './sql/update.one.off.sql.js';
import { updateRunsSql } from './sql/update.runs.sql.js';
import { carriedSetsSql } from './sql/carried.sets.sql.js';
import { noteReleaseSql } from './sql/note.release.sql.js';
import { noteSyncedSql } from './sql/note.synced.sql.js';
import { syncedSetSql } from './sql/synced.set.sql.js';
import { uncarriedSql } from './sql/uncarried.sql.js';
import { takeOpenSql } from './sql/take.open.sql.js';
import { takeJobsSql } from './sql/take.jobs.sql.js';
import { findHeritageSql } from './sql/find.heritage.sql.js';
import { inheritFlowsSql } from './sql/inherit.flows.sql.js';
import { inheritRunsSql } from './sql/inherit.runs.sql.js';
import { livingAppsSql } from './sql/living.apps.sql.js';
import { leaveAppSql } from './sql/leave.app.sql.js';
import { setPreviousIdsSql } from './sql/set.previous.ids.sql.js';
import { noteGenerationSql } from './sql/note.generation.sql.js';
import { updateWorkerSql } from './sql/update.worker.sql.js';
import { wakeDelayedSql } from './sql/wake.delayed.sql.js';
import { rollUpSql } from './sql/roll.up.sql.js';
import { compareRollupsSql } from './sql/compare.rollups.sql.js';
import { forgetRollupsSql } from './sql/forget.rollups.sql.js';
import { lockRollupsSql, markRollupsSql, readRollupMarkSql, readRollupsSql } from './sql/lock.rollups.sql.js';
import { wantedRetentionsSql } from './sql/wanted.retentions.sql.js';

/** Every statement that does not depend on what a caller filters by: the protocol between workers, as text. */
const builders = {
  acquireLock: acquireLockSql,
  rollUpMinutes: (t: TableNames) => rollUpSql(t, 'minute'),
  rollUpHours: (t: TableNames) => rollUpSql(t, 'hour'),
  rollUpDays: (t: TableNames) => rollUpSql(t, 'day'),
  lockRollups: lockRollupsSql,
  markRollups: markRollupsSql,
  readRollups: readRollupsSql,
  readRollupMark: readRollupMarkSql,
  compareRollups: compareRollupsSql,
  forgetRollups: forgetRollupsSql,
  advanceWaits: advanceWaitsSql,
  findLostWaits: findLostWaitsSql,
  lockParents: lockParentsSql,
  lockWaiting: lockWaitingSql,
  moveWaits: moveWaitsSql,
  readLastVerdict: readLastVerdictSql,
  storeWaits: storeWaitsSql,
  dropSteps: dropStepsSql,
  readAllSteps: readAllStepsSql,
  readRetriedFlow: readRetriedFlowSql,
  readRunningSteps: readRunningStepsSql,
  recountFlow: recountFlowSql,
  releaseSteps: releaseStepsSql,
  carryRuns: carryRunsSql,
  resumeMaps: resumeMapsSql,
  reopenFlow: reopenFlowSql,
  resetSteps: resetStepsSql,
  findLostSteps: findLostStepsSql,
  growFlow: growFlowSql,
  locateSteps: locateStepsSql,
  readStepsBehind: readStepsBehindSql,
  readRunFlows: readRunFlowsSql,
  readStepsByName: readStepsByNameSql,
  countSteps: countStepsSql,
  findFlow: findFlowSql,
  laterRun: laterRunSql,
  forgetFlows: forgetFlowsSql,
  forgetFlowHistory: forgetFlowHistorySql,
  setFlowPause: setFlowPauseSql,
  flowsWithin: flowsWithinSql,
  abandonFlows: abandonFlowsSql,
  advanceFlows: (t: TableNames) => advanceFlowsSql(t, 'anybody'),
  advanceFlowsFor: (t: TableNames) => advanceFlowsSql(t, 'worker'),
  endFlows: endFlowsSql,
  expandMaps: expandMapsSql,
  lockFlowRuns: lockFlowRunsSql,
  lockFlows: lockFlowsSql,
  openFlow: openFlowSql,
  readBadSteps: readBadStepsSql,
  readClaimedSteps: readClaimedStepsSql,
  readLastResults: readLastResultsSql,
  noteGeneration: noteGenerationSql,
  setPreviousIds: setPreviousIdsSql,
  renamedElsewhere: renamedElsewhereSql,
  leaveApp: leaveAppSql,
  takeJobs: takeJobsSql,
  takeOpen: (t: TableNames) => takeOpenSql(t, 'outside'),
  takeOver: (t: TableNames) => takeOpenSql(t, 'over'),
  findHeritage: findHeritageSql,
  inheritFlows: inheritFlowsSql,
  inheritRuns: inheritRunsSql,
  livingApps: livingAppsSql,
  uncarried: uncarriedSql,
  syncedSet: syncedSetSql,
  noteSynced: noteSyncedSql,
  noteRelease: noteReleaseSql,
  carriedSets: carriedSetsSql,
  addGap: addGapSql,
  backfill: backfillSql,
  bearOneOff: bearOneOffSql,
  bearRecurring: bearRecurringSql,
  claimFromOne: (t: TableNames) => claimSql(t, 'one'),
  claimFromSeveral: (t: TableNames) => claimSql(t, 'several'),
  claimGiven: claimGivenSql,
  claimable: claimableSql,
  claimsUnderWay: claimsUnderWaySql,
  closeGap: closeGapSql,
  deferStranded: deferStrandedSql,
  deleteDefinition: deleteDefinitionSql,
  deleteJob: deleteJobSql,
  detachRuns: detachRunsSql,
  discardRuns: discardRunsSql,
  dropFlow: dropFlowSql,
  dropRuns: dropRunsSql,
  dueCursors: dueCursorsSql,
  setPauseEnds: setPauseEndsSql,
  duePauseEnds: duePauseEndsSql,
  takePauseEnds: takePauseEndsSql,
  takeScopeEnd: takeScopeEndSql,
  stalePauses: stalePausesSql,
  notePauses: notePausesSql,
  queryOverdue: queryOverdueSql,
  noteOverdue: noteOverdueSql,
  endPause: endPauseSql,
  endWaiting: (t: TableNames) => endWaitingSql(t),
  endUnreachable: (t: TableNames) => endWaitingSql(t, 'reasoned'),
  extendLock: extendLockSql,
  findOutdated: findOutdatedSql,
  fire: fireSql,
  forgetAttempts: (t: TableNames) => forgetAttemptsSql(t, 'all'),
  ageRecord: ageRecordSql,
  forgetUndated: (t: TableNames) => forgetAttemptsSql(t, 'undated'),
  forgetDead: forgetDeadSql,
  forgetReleases: forgetReleasesSql,
  forgetBinaries: forgetBinariesSql,
  forgetAudit: forgetAuditSql,
  abortBulkAction: abortBulkActionSql,
  beginBulkAction: beginBulkActionSql,
  listBulkActions: listBulkActionsSql,
  readBulkAction: readBulkActionSql,
  reportBulkAction: reportBulkActionSql,
  forgetBulkActions: forgetBulkActionsSql,
  appendRunLogs: appendRunLogsSql,
  readRunLog: readRunLogSql,
  lockRunLog: lockRunLogSql,
  dropLogParts: dropLogPartsSql,
  forgetRunLogs: forgetRunLogsSql,
  reportRunProgress: reportRunProgressSql,
  forgetRunProgress: forgetRunProgressSql,
  recordAudit: recordAuditSql,
  putBinary: putBinarySql,
  useBinary: useBinarySql,
  forgetDefinitions: forgetDefinitionsSql,
  forgetDefinitionHistory: forgetDefinitionHistorySql,
  forgetGaps: forgetGapsSql,
  forgetKept: forgetKeptSql,
  forgetRunSignals: forgetRunSignalsSql,
  forgetRunSteps: forgetRunStepsSql,
  forgetOutcome: forgetOutcomeSql,
  oldestAttempt: oldestAttemptSql,
  forgetWorkers: forgetWorkersSql,
  getDefinition: getDefinitionSql,
  getJobs: getJobsSql,
  giveBack: giveBackSql,
  graspJobs: (t: TableNames) => graspJobsSql(t, 'free'),
  awaitRun: awaitRunSql,
  awaitJobs: (t: TableNames) => graspJobsSql(t, 'all'),
  heldBy: heldBySql,
  holdRuns: holdRunsSql,
  insertNewOneOff: (t: TableNames) => insertOneOffsSql(t, 'one'),
  insertNewOneOffs: (t: TableNames) => insertOneOffsSql(t, 'new'),
  insertOneOffs: (t: TableNames) => insertOneOffsSql(t, 'any'),
  insertTracedOneOffs: (t: TableNames) => insertOneOffsSql(t, 'traced'),
  insertRecurring: insertRecurringSql,
  inspectLock: inspectLockSql,
  liftOverdue: liftOverdueSql,
  lockApp: (t: TableNames) => lockTextSql(t, 'sync'),
  lockRequest: (t: TableNames) => lockTextSql(t, 'request'),
  lockBlocking: lockBlockingSql,
  lockCursor: lockCursorSql,
  lockJobs: lockJobsSql,
  readRecurring: (t: TableNames) => readRecurringSql(t, 'some'),
  readDeclared: (t: TableNames) => readRecurringSql(t, 'app'),
  readOneOffs: readOneOffsSql,
  lockPause: lockPauseSql,
  lockQueue: lockQueueSql,
  lockRun: lockRunSql,
  lockBornAhead: lockBornAheadSql,
  lockRuns: lockRunsSql,
  markJob: markJobSql,
  moveCursors: moveCursorsSql,
  nextWake: nextWakeSql,
  openGap: openGapSql,
  orphanInserted: orphanInsertedSql,
  park: parkSql,
  pauseScope: pauseScopeSql,
  forgetFired: forgetFiredSql,
  setTrigger: setTriggerSql,
  putCursor: putCursorSql,
  putDefinitions: putDefinitionsSql,
  queryPauses: queryPausesSql,
  queryWorkers: queryWorkersSql,
  takeStock: takeStockSql,
  recallDeferred: recallDeferredSql,
  readNews: readNewsSql,
  readOneOffRun: readOneOffRunSql,
  readStatistics: readStatisticsSql,
  readExactTime: readExactTimeSql,
  readTime: readTimeSql,
  queryRunSteps: queryRunStepsSql,
  recordRunStep: recordRunStepSql,
  recordStepWait: recordStepWaitSql,
  awaitSignal: awaitSignalSql,
  sendRunSignal: sendRunSignalSql,
  takeRunSignal: takeRunSignalSql,
  register: registerSql,
  releaseLock: releaseLockSql,
  releaseLost: (t: TableNames) => releaseLostSql(t, 'all'),
  releaseLeft: (t: TableNames) => releaseLostSql(t, 'some'),
  endLost: (t: TableNames) => releaseLostSql(t, 'none'),
  releaseRuns: releaseRunsSql,
  removeCursor: removeCursorSql,
  renameKey: renameKeySql,
  renew: renewSql,
  requestCancel: requestCancelSql,
  carryTrace: carryTraceSql,
  noteTraces: noteTracesSql,
  retryRuns: retryRunsSql,
  runManually: runManuallySql,
  runOneOffNow: runOneOffNowSql,
  setGeneration: setGenerationSql,
  setPause: setPauseSql,
  settle: (t: TableNames) => settleSql(t, 'waiting'),
  settleBriefly: (t: TableNames) => settleSql(t, 'briefly'),
  settlePassing: (t: TableNames) => settleSql(t, 'passing'),
  settleOneOffs: settleOneOffsSql,
  settleRecurring: settleRecurringSql,
  stoppedCursors: stoppedCursorsSql,
  unblock: unblockSql,
  unmetInstants: unmetInstantsSql,
  unregister: unregisterSql,
  unservedSteps: unservedStepsSql,
  updateCursor: updateCursorSql,
  updateJob: updateJobSql,
  updateOneOff: updateOneOffSql,
  updateRuns: updateRunsSql,
  updateWorker: updateWorkerSql,
  lockZoneData: lockZoneDataSql,
  readZoneData: readZoneDataSql,
  noteZoneData: noteZoneDataSql,
  setZoneData: setZoneDataSql,
  standingCursors: standingCursorsSql,
  wakeDelayed: wakeDelayedSql,
  wantedRetentions: wantedRetentionsSql,
};

export type StatementName = keyof typeof builders;

/**
 * Those that are worth being kept prepared, since they run all the time. Their plans know no values, a limit for instance, and are held to
 * the same rules as the others (see the tests of plans).
 */
export const preparedStatements: ReadonlySet<StatementName> = new Set<StatementName>([
  'advanceFlows',
  'advanceFlowsFor',
  'claimFromOne',
  'claimFromSeveral',
  'dueCursors',
  'fire',
  'getJobs',
  'giveBack',
  'heldBy',
  'insertNewOneOff',
  'insertNewOneOffs',
  'insertOneOffs',
  'insertTracedOneOffs',
  'insertRecurring',
  'lockFlows',
  'nextWake',
  'queryRunSteps',
  'readClaimedSteps',
  'readNews',
  'readExactTime',
  'recordRunStep',
  'renew',
  'settleBriefly',
  'settleOneOffs',
  'settleRecurring',
]);

/**
 * Those that wait for locks for a moment only, and so do all after them in their transaction: when one fails for that, another way is better than
 * another try.
 */
export const impatientStatements: ReadonlySet<StatementName> = new Set<StatementName>([
  'settleBriefly',
  'settleOneOffs',
  'settlePassing',
  'settleRecurring',
]);

/** Those that must not wait for a connection, whatever the others wait for. */
export const urgentStatements: ReadonlySet<StatementName> = new Set<StatementName>(['renew']);

/** Those whose rows are arrays, as they hand out many: in the order in which they return their columns. */
export const arrayStatements: ReadonlySet<StatementName> = new Set<StatementName>([
  'claimFromOne',
  'claimFromSeveral',
  'claimGiven',
]);

export type Statements = Readonly<Record<StatementName, string>>;

/** The texts for one set of tables, made once. */
export function prepareStatements(t: TableNames): Statements {
  const texts = Object.entries(builders).map(([name, build]) => [name, build(t)]);
  return Object.fromEntries(texts) as Statements;
}
