import type { Law } from './law.js';
import { binaryLaws } from './laws/binary.laws.js';
import { bulkActionLaws } from './laws/bulk.action.laws.js';
import { bulkLaws } from './laws/bulk.laws.js';
import { cancelRunningLaws, queueLaws } from './laws/blocked.laws.js';
import { appLaws, retentionLaws } from './laws/app.laws.js';
import { inheritLaws } from './laws/inherit.laws.js';
import { aheadLaws } from './laws/ahead.laws.js';
import { backfillLaws } from './laws/backfill.laws.js';
import { callbackLaws } from './laws/callback.laws.js';
import { cancelLaws, cancelRunLaws } from './laws/cancel.laws.js';
import { claimLaws } from './laws/claim.laws.js';
import { adapterLaws, clockLaws } from './laws/clock.laws.js';
import { createLaws } from './laws/create.laws.js';
import { deadLetterLaws } from './laws/dead.letter.laws.js';
import { definitionLaws } from './laws/definition.laws.js';
import { deleteLaws } from './laws/delete.laws.js';
import { eventChannelLaws } from './laws/event.channel.laws.js';
import { fireLaws } from './laws/fire.laws.js';
import { leaseLaws, releaseLaws } from './laws/lease.laws.js';
import { orphanLaws, supersededLaws, undeclaredLaws } from './laws/orphan.laws.js';
import { carriedSetLaws } from './laws/carried.set.laws.js';
import { owedLaws } from './laws/owed.laws.js';
import { fixedDelayLaws, overlapLaws } from './laws/overlap.laws.js';
import { deferLaws, liftLaws } from './laws/overdue.laws.js';
import { pauseLaws, resumeLaws } from './laws/pause.laws.js';
import { auditLaws } from './laws/audit.laws.js';
import { runEndLaws } from './laws/run.end.laws.js';
import { requestLaws } from './laws/request.laws.js';
import { failureLaws } from './laws/failure.laws.js';
import { runLogLaws } from './laws/run.log.laws.js';
import { runProgressLaws } from './laws/run.progress.laws.js';
import { joinLaws } from './laws/join.laws.js';
import { nextLaws } from './laws/next.laws.js';
import { pausedByLaws } from './laws/paused.by.laws.js';
import { openLaws } from './laws/open.laws.js';
import { queryLaws } from './laws/query.laws.js';
import { giveBackLaws } from './laws/give.back.laws.js';
import { flowUnservedLaws } from './laws/flow.unserved.laws.js';
import { freshLaws } from './laws/fresh.laws.js';
import { changedLaws } from './laws/changed.laws.js';
import { cursorLaws } from './laws/cursor.laws.js';
import { keepLaws } from './laws/keep.laws.js';
import { recordLaws } from './laws/record.laws.js';
import { replaceLaws } from './laws/replace.laws.js';
import { runNowLaws } from './laws/run.now.laws.js';
import { overdueJobLaws } from './laws/overdue.job.laws.js';
import { pauseEndLaws } from './laws/pause.end.laws.js';
import { scopeLaws } from './laws/scope.laws.js';
import { settleLaws } from './laws/settle.laws.js';
import { rollupLaws } from './laws/rollup.laws.js';
import { statisticsLaws } from './laws/statistics.laws.js';
import { flowStepEndLaws } from './laws/flow.step.end.laws.js';
import { flowEndingLaws } from './laws/flow.ending.laws.js';
import { flowEndLaws } from './laws/flow.end.laws.js';
import { flowJoinLaws } from './laws/flow.join.laws.js';
import { flowGrowthLaws } from './laws/flow.growth.laws.js';
import { flowMapLaws } from './laws/flow.map.laws.js';
import { flowNestedLaws } from './laws/flow.nested.laws.js';
import { flowPauseLaws } from './laws/flow.pause.laws.js';
import { flowRetryCutLaws } from './laws/flow.retry.cut.laws.js';
import { flowRetryGrowthLaws } from './laws/flow.retry.growth.laws.js';
import { flowCarriedLaws } from './laws/flow.carried.laws.js';
import { flowRetryKeptLaws } from './laws/flow.retry.kept.laws.js';
import { flowRetryLaws } from './laws/flow.retry.laws.js';
import { flowRetryRunningLaws } from './laws/flow.retry.running.laws.js';
import { flowPruneLaws, flowQueryLaws } from './laws/flow.query.laws.js';
import { flowRaceLaws } from './laws/flow.race.laws.js';
import { flowRuleLaws } from './laws/flow.rules.laws.js';
import { flowSignalLaws } from './laws/flow.signal.laws.js';
import { flowHandsLaws } from './laws/flow.hands.laws.js';
import { flowLaws } from './laws/flow.laws.js';
import { runSignalLaws } from './laws/run.signal.laws.js';
import { stepLaws } from './laws/step.laws.js';
import { stockLaws } from './laws/stock.laws.js';
import { stateLaws } from './laws/state.laws.js';
import { readingLaws } from './laws/reading.laws.js';
import { storedTextLaws } from './laws/stored.text.laws.js';
import { syncLaws } from './laws/sync.laws.js';
import { traceLaws } from './laws/trace.laws.js';
import { textLaws } from './laws/text.laws.js';
import { uncarriedLaws } from './laws/uncarried.laws.js';
import { updateLaws } from './laws/update.laws.js';
import { signalLaws, wakeLaws } from './laws/wake.laws.js';
import { waitLaws } from './laws/wait.laws.js';
import { waitEndLaws } from './laws/wait.end.laws.js';
import { waitCreateLaws } from './laws/wait.create.laws.js';
import { zoneLaws } from './laws/zone.laws.js';

/** What every storage promises; see `runLaw`. @publicApi */
export function storageLaws(): Law[] {
  return [
    ...adapterLaws,
    ...clockLaws,
    ...createLaws,
    ...replaceLaws,
    ...textLaws,
    ...queryLaws,
    ...nextLaws,
    ...stateLaws,
    ...updateLaws,
    ...deleteLaws,
    ...pauseLaws,
    ...resumeLaws,
    ...scopeLaws,
    ...pauseEndLaws,
    ...overdueJobLaws,
    ...pausedByLaws,
    ...cancelLaws,
    ...cancelRunLaws,
    ...runEndLaws,
    ...runNowLaws,
    ...traceLaws,
    ...backfillLaws,
    ...bulkLaws,
    ...deadLetterLaws,
    ...joinLaws,
    ...auditLaws,
    ...requestLaws,
    ...failureLaws,
    ...runLogLaws,
    ...bulkActionLaws,
    ...storedTextLaws,
    ...readingLaws,
    ...runProgressLaws,
    ...leaseLaws,
    ...releaseLaws,
    ...cursorLaws,
    ...owedLaws,
    ...fireLaws,
    ...aheadLaws,
    ...overlapLaws,
    ...queueLaws,
    ...cancelRunningLaws,
    ...fixedDelayLaws,
    ...claimLaws,
    ...liftLaws,
    ...deferLaws,
    ...stockLaws,
    ...giveBackLaws,
    ...settleLaws,
    ...callbackLaws,
    ...openLaws,
    ...waitLaws,
    ...waitEndLaws,
    ...waitCreateLaws,
    ...stepLaws,
    ...runSignalLaws,
    ...definitionLaws,
    ...binaryLaws,
    ...rollupLaws,
    ...flowUnservedLaws,
    ...flowHandsLaws,
    ...flowLaws,
    ...flowRuleLaws,
    ...flowStepEndLaws,
    ...flowEndLaws,
    ...flowEndingLaws,
    ...flowMapLaws,
    ...flowGrowthLaws,
    ...flowNestedLaws,
    ...flowPauseLaws,
    ...flowJoinLaws,
    ...flowRetryKeptLaws,
    ...flowRetryLaws,
    ...flowRetryCutLaws,
    ...flowRetryGrowthLaws,
    ...flowRetryRunningLaws,
    ...flowCarriedLaws,
    ...flowSignalLaws,
    ...flowRaceLaws,
    ...flowQueryLaws,
    ...flowPruneLaws,
    ...statisticsLaws,
    ...keepLaws,
    ...recordLaws,
    ...appLaws,
    ...inheritLaws,
    ...retentionLaws,
    ...syncLaws,
    ...carriedSetLaws,
    ...changedLaws,
    ...orphanLaws,
    ...supersededLaws,
    ...undeclaredLaws,
    ...uncarriedLaws,
    ...wakeLaws,
    ...signalLaws,
    ...eventChannelLaws,
    ...zoneLaws,
    ...freshLaws,
  ];
}
