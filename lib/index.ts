// The public API of `nestjs-chronis`: named exports only, one line for each file, so that additions are seen in review.
export * from './model/errors.js';
export { packageVersion } from './package.version.js';
export { errorParts, type ErrorParts } from './model/error.text.js';
export type { JsonInput, JsonObject, JsonValue, NotJson } from './model/json.js';
export type {
  AtOptions,
  AtTiming,
  BackoffInput,
  CallbackInput,
  CronOptions,
  CronTiming,
  DeclarationOptions,
  IntervalOptions,
  IntervalTiming,
  JobOptions,
  JobOverride,
  RecurrenceOptions,
} from './model/job.options.js';
export type {
  Job,
  JobDefinition,
  JobFilter,
  JobRef,
  JobOrder,
  JobSource,
  JobState,
  Page,
  Pause,
  PausedBy,
} from './model/job.js';
export type { ChangeableOption, JobChange, JobChanges } from './model/job.changes.js';
export { taskOf } from './model/task.js';
export type { Task, TaskInput, TaskOption } from './model/task.js';
export type { PauseScope, ScopePause, ScopeRef, StandingPause } from './model/pause.js';
export type { Actor, AuditAction, AuditEntry, AuditRequest } from './model/audit.js';
export { defaultPolicies } from './model/policies.js';
export type {
  Backoff,
  Callback,
  KeepMs,
  MisfirePolicy,
  OverlapPolicy,
  Policies,
  RecoveryPolicy,
} from './model/policies.js';
export { latenessBucketsMs, statisticsKeptMs } from './model/rollup.js';
export type { OverdueJob } from './model/overdue.js';
export type { RunLogEntry, RunLogLevel } from './model/run.log.js';
export type { RunProgress } from './model/run.progress.js';
export type { FailureGroup, FailureReport, FailureSample } from './model/failure.js';
export type { StatisticsRow, StatisticsUnit } from './model/rollup.js';
export type { Pruned, RefusedRow, Retention } from './model/retention.js';
export type { HandlerOptions, MethodOptions } from './model/handler.options.js';
export type {
  DtoClass,
  JsonForm,
  PayloadInput,
  PayloadIssue,
  PayloadOutput,
  PayloadSchema,
} from './model/payload.schema.js';
export type { StandardIssue, StandardResult, StandardSchema } from './model/standard.schema.js';
export type { StepResult } from './model/step.result.js';
export type { RetryRules } from './model/retry.rules.js';
export { Priority } from './model/priority.js';
export type { PriorityInput, PriorityLevel } from './model/priority.js';
export type {
  Attempt,
  CarriedTrace,
  ClaimedRun,
  ClaimedStep,
  Gap,
  ListedRun,
  RequestedRun,
  Run,
  RunOrigin,
  RunRequest,
  RunState,
} from './model/run.js';
export type {
  Calendars,
  CronFields,
  DstPolicy,
  DurationInput,
  DurationParts,
  Exclusion,
  InstantInput,
  Trigger,
  TriggerInput,
  TriggerType,
} from './model/trigger.js';
export type { FailureVerdict, GapVerdict, Outcome, RunVerdict, StepVerdict } from './model/verdict.js';
export type {
  OrderAfter,
  Otherwise,
  StepAfter,
  StepNeed,
  StepOrder,
  StepPolicies,
  WorkflowDefinition,
  WorkflowStep,
} from './model/workflow.js';
export type {
  ManualStepMethodOptions,
  ManualStepOptions,
  StepCode,
  StepCondition,
  StepMethodOptions,
  StepOptions,
  WhenContext,
  WorkflowClassOptions,
} from './model/workflow.options.js';

export { describe } from './triggers/describe.js';
export type { DescribeOptions } from './triggers/describe.js';
export { parseDuration } from './triggers/duration.js';

export { parseAt } from './triggers/instant.js';
export { nextOccurrences, previousOccurrences } from './triggers/occurrences.js';
export type { OccurrenceOptions } from './triggers/occurrences.js';
export type { UnservedHandler } from './model/unserved.handler.js';
export type { UnservedDefinition, UnservedStep } from './model/unserved.step.js';
export { definitionKey, definitionReference } from './model/definition.js';
export type { Definition, DefinitionKind, DefinitionRef } from './model/definition.js';
export { preview } from './triggers/preview.js';
export type { PreviewOccurrence, TriggerPreview } from './triggers/preview.js';
export type { Remark, RemarkCode } from './triggers/remarks.js';
export { assertTimeZone } from './triggers/time.zone.js';

export type { BackfillOrder, BackfillReport } from './ports/backfill.js';
export type { BulkChange, BulkOutcome } from './ports/bulk.change.js';
export type { Beat, BeatOrder } from './ports/beat.js';
export { callbackOf } from './ports/callback.js';
export type { CalledRun, CallbackPayload } from './ports/callback.js';
export { Clock } from './ports/clock.js';
export type { CancelTimer } from './ports/clock.js';
export { SystemClock } from './ports/system.clock.js';
export { EventChannel } from './ports/event.channel.js';
export { LockAdapter } from './ports/lock.adapter.js';
export type { Lock, LockState } from './ports/lock.adapter.js';
export {
  auditedDefinitionMethods,
  auditedFlowMethods,
  auditedMethods,
  binaryKeptMs,
  binaryUseMs,
  flowResultNotKept,
  maxFlowResult,
  maxFlowSteps,
  maxMapItems,
  maxStepResult,
  mostBinaryBytes,
  StorageAdapter,
} from './ports/storage.adapter.js';
export { appear, releasesKept } from './ports/declarations.js';
export { lostFingerprint, storedFingerprint } from './ports/fingerprint.js';
export { mostFailures } from './ports/queries.js';
export { areTooMany, middleOf, mostPartBytes, mostPartLines } from './ports/run.logs.js';
export { mostCounted, mostKeptCounted } from './ports/stock.js';
export { RunEnds } from './ports/run.ends.js';
export type { CancelledRun, RunEnd } from './ports/run.ends.js';
export { mostRunSignals } from './ports/run.steps.js';
export type {
  AttemptFilter,
  FailureFilter,
  NewRunLogPart,
  LoggedLine,
  RunLogPart,
  RunLogPlace,
  RunLogStorage,
  NewRunProgress,
  RunProgressStorage,
  StoredText,
  AuditedStore,
  AuditFilter,
  AuditNote,
  BinaryStorage,
  BulkActionStorage,
  BulkProgress,
  NewBulkAction,
  StoredBulkAction,
  Birth,
  Capability,
  CarriedDeclaration,
  CarriedSet,
  ChangedJob,
  ClaimResult,
  ConflictPolicy,
  CursorPlan,
  Declaration,
  Deferral,
  DefinitionChange,
  DefinitionFilter,
  DefinitionStorage,
  DueCursor,
  EndedPauses,
  EpochMs,
  FireResult,
  Firing,
  Flow,
  AuditedFlowStore,
  FlowEdge,
  FlowFilter,
  FlowOver,
  FlowReads,
  FlowStore,
  FlowStep,
  FlowStepFilter,
  FlowStepState,
  FlowStorage,
  GapFilter,
  GiveBackResult,
  Hands,
  Hold,
  Inheritance,
  InsertResult,
  JobPatch,
  JobStore,
  NewAudit,
  RequestMark,
  NewDefinition,
  NewFlow,
  NewFlowStep,
  NewGap,
  NewJob,
  NewRunSignal,
  NewRunStep,
  NextWake,
  OrphanReason,
  PageRequest,
  PutDefinition,
  Recomputation,
  PauseEndPlans,
  PauseOrder,
  RefusedRun,
  ReleaseResult,
  Renewal,
  RunFilter,
  RunningStep,
  RunStep,
  RunStepPlace,
  RunStepWait,
  ScheduleOver,
  ScopeResumption,
  SettleResult,
  Settlement,
  SignalAnswer,
  SignalWait,
  StandingCursor,
  QueueStock,
  StepEnd,
  Stock,
  RollupFilter,
  RollupMark,
  RollupOrder,
  RollupState,
  OverdueJobs,
  OverdueLook,
  OverdueNews,
  OverdueStore,
  RollupStorage,
  StoredBinary,
  StoredDefinition,
  StoredAudit,
  StoredPause,
  StoredSchedule,
  SyncPlan,
  SyncRequest,
  SyncResult,
  SyncedSet,
  Unstarted,
  WorkerInfo,
  WorkerCondition,
  WorkerRegistration,
} from './ports/storage.adapter.js';
export type {
  AnyTransactionOptions,
  BegunTransactionOptions,
  JoinableTransaction,
  SqlExecutor,
  TransactionBegin,
  TransactionManager,
  TransactionOptions,
  TransactionTypes,
  TransactionWork,
} from './ports/run.transaction.js';
export { WakeSignal } from './ports/wake.signal.js';
export type { Wake } from './ports/wake.signal.js';
export type { AdapterInput, AdapterRecipe, InjectionToken } from './ports/adapter.recipe.js';

export { ChronisEvents } from './events/chronis.events.js';
export { eventFilter } from './events/event.filter.js';
export type { EventFilter } from './events/event.filter.js';
export { sentenceOf } from './events/event.sentence.js';
export type {
  ChronisEventMap,
  ChronisEventName,
  JobAhead,
  LockedWork,
  RunEvent,
} from './events/event.map.js';
export { selectEvents } from './events/event.names.js';
export type { EventSelector, SelectedEvent, SelectedName } from './events/event.names.js';
export type { EventOrigin, ListenOptions, StreamOptions } from './events/event.origin.js';
export type { LogOptions } from './events/log.options.js';
export type { EventStream, StreamedEvent } from './events/event.stream.js';
export { Tracing } from './engine/tracing.js';
export { RunTracer, TraceCarrier } from './ports/tracing.js';
export type { AttemptTrace, BegunAttempt, SentJobs, TraceLink, TraceLinkKind } from './ports/tracing.js';
export { Redactor } from './events/redactor.js';
export type { RedactedKind, RedactFunction, RedactOption } from './events/redactor.js';
export { runLog } from './events/run.log.js';
export type { RunLogLine, RunLogOptions } from './events/run.log.js';

export { At } from './decorators/at.decorator.js';
export type { ScheduleFactory } from './decorators/schedule.factory.js';
export { Cron } from './decorators/cron.decorator.js';
export { isScheduledByChronis } from './decorators/declaration.js';
export { meantOption } from './scheduler/meant.option.js';
export { knownOptions } from './scheduler/known.options.js';
export { assertCalled } from './decorators/annotation.js';
export { contextParameters } from './decorators/arguments.decorator.js';
export { readsSchedules, schedulesReader } from './discovery/foreign.schedules.js';
export { noteDecorated } from './decorators/decorated.classes.js';
export { Interval } from './decorators/interval.decorator.js';
export { JobHandler } from './decorators/job.handler.decorator.js';
export { OnJobEvent } from './decorators/on.job.event.decorator.js';
export type { OnJobEventOptions } from './decorators/on.job.event.decorator.js';

export { JobDeclarations } from './discovery/job.declarations.js';
export type { JobDeclaration, ListDeclaration } from './discovery/job.declarations.js';
export type { JobList } from './discovery/job.lists.js';
export type {
  DeployPlan,
  PlannedChangedJob,
  PlannedGoneJob,
  PlannedNewJob,
  PlannedSchedule,
  PlannedWorkflows,
} from './discovery/deploy.plan.js';
export type { InstantRemark } from './triggers/clock.remarks.js';
export type { ListedJob } from './discovery/listed.job.js';

export { Ctx, Payload } from './decorators/arguments.decorator.js';
export { ChronisInterceptor } from './engine/chronis.interceptor.js';
export { currentRun } from './engine/current.run.js';
export { InjectRunContext, RUN_CONTEXT } from './discovery/run.context.injection.js';
export type { JobOverrides } from './discovery/declaration.configuration.js';
export type { InterceptorInput } from './discovery/interceptor.resolver.js';
export type {
  HandlerFunction,
  OpenOptions,
  RunContext,
  RunLogger,
  RunSteps,
  DurableStepOptions,
  DurableStepTry,
  SleepOptions,
  StepTransaction,
} from './engine/run.context.js';

export { TaskExecutor } from './tasks/task.executor.js';
export type { TaskContext, TaskExecutorOptions, TaskResult } from './tasks/task.executor.js';

export { defineJob } from './scheduler/define.job.js';
export type { UpdateOptions } from './scheduler/job.updater.js';
export type { DefinedJob, DefineJobOptions, HandleDecorator } from './scheduler/define.job.js';
export { handlerOf } from './scheduler/handler.of.js';
export type { HandlerMethod, MethodPayload } from './scheduler/handler.of.js';
export type {
  HandlerDefaults,
  PayloadChange,
  HandlerInput,
  HandlerReference,
  PayloadOption,
} from './scheduler/handler.reference.js';
export { SchedulerService } from './scheduler/scheduler.service.js';
export type {
  CreateCronJob,
  CreateDateJob,
  CreateIntervalJob,
  CreateJob,
  CreateOptions,
  OneOffOptions,
  ScheduledJob,
  ScheduleOptions,
  AfterTiming,
  ScheduleTiming,
  TimedSchedule,
  UpdateJob,
} from './scheduler/create.options.js';
export type { BulkOptions, BulkResult, RetryOptions } from './scheduler/dead.letters.js';
export type { ManagerOption } from './scheduler/job.access.js';
export type { NamespaceOption } from './scheduler/job.identity.js';
export type { JobConditions, JobQuery } from './scheduler/job.query.js';
export type { ManyStepOptions } from './scheduler/many.steps.js';
export type { ManyFilter, ManyOptions, ManyResult } from './scheduler/bulk.changes.js';
export type { BackfillOptions, BackfillResult } from './scheduler/job.backfill.js';
export type { PreviewOptions } from './scheduler/job.preview.js';
export type {
  RebuildOptions,
  RebuiltStatistics,
  StatisticsPage,
  StatisticsQuery,
} from './scheduler/statistics.js';
export type { Coverage, CoverageOptions, CoveredInstant } from './scheduler/coverage.js';
export type { DecidingRow, ExplainedAnswer, ExplainedCause, Explanation } from './scheduler/explanation.js';
export type {
  Forecast,
  ForecastBucket,
  ForecastOptions,
  ForecastRemark,
  HotMinute,
} from './scheduler/forecast.js';
export type { PauseOptions } from './scheduler/pause.orders.js';
export type { ResumeOptions } from './scheduler/resume.plan.js';
export type { DurableStep, DurableStepKind, DurableStepState } from './model/durable.step.js';
export type { FailedOpenRun, OpenRunOptions } from './scheduler/open.runs.js';
export type { RunOutcome, WaitOptions } from './scheduler/run.waiter.js';
export type { CreateManyOptions, CreateManyResult, UpsertResult } from './scheduler/schedule.options.js';
export type { OverdueQuery } from './scheduler/overdue.query.js';
export type { RunLogPage, RunLogQuery } from './scheduler/run.log.query.js';
export type { FailureQuery } from './scheduler/failures.js';
export type { FailedRunFilter, RunConditions } from './scheduler/run.query.js';
export type {
  HealthCode,
  HealthOptions,
  HealthReason,
  SchedulerHealth,
  SchedulerStatus,
} from './scheduler/scheduler.health.js';
export type { AuditQuery } from './scheduler/audit.query.js';
export type { EngineState } from './engine/engine.js';

export { FromStep, Item } from './decorators/arguments.decorator.js';
export { ManualStep, Step } from './decorators/step.decorator.js';
export { Workflow } from './decorators/workflow.decorator.js';
export { WorkflowService } from './workflows/workflow.service.js';
export type {
  WorkflowPlanned,
  WorkflowPruning,
  WorkflowQuery,
  WorkflowRetry,
} from './workflows/workflow.service.js';
export type { GraphOptions, StepRef } from './workflows/workflow.graph.js';
export type {
  NamedParams,
  StartArguments,
  StartedWorkflow,
  StartWorkflowOptions,
  WorkflowInput,
} from './workflows/workflow.start.js';
export type {
  GraphParent,
  GraphStep,
  WorkflowGraph,
  WorkflowRun,
  WorkflowState,
} from './workflows/workflow.views.js';
export type { TenantWorkflows } from './workflows/tenant.workflows.js';
export { workflow } from './workflows/define.workflow.js';
export { DefinedWorkflow } from './workflows/defined.workflow.js';
export type {
  DataParents,
  DefineWorkflowOptions,
  NamedStepOptions,
  Returned,
} from './workflows/defined.workflow.js';
export type { AddedStep, ItemOf, StepContext, StepParent, WorkflowOfStep } from './engine/step.context.js';
export { workflowSchema } from './workflows/workflow.schema.js';
export { DefinitionService } from './definitions/definition.service.js';
export type { DefinitionPruning } from './definitions/definition.service.js';
export type { TenantDefinitions } from './definitions/tenant.definitions.js';
export type { StartedDefinition } from './definitions/definition.starter.js';
export type { DefineManyResult, DefineResult } from './definitions/definition.writer.js';
export type {
  DataWorkflow,
  DefineOptions,
  DefinitionInput,
  DefinitionOptions,
  DefinitionQuery,
  HandlerDefinition,
  TaskDefinition,
  StartOptions,
  VersionOption,
} from './definitions/definition.options.js';

export { tenantJob } from './scheduler/tenancy.js';
export type { TenantOptions } from './scheduler/tenancy.js';
export type { TenantScheduler } from './scheduler/tenant.scheduler.js';

export type { TransactionSource } from './memory/memory.transactions.js';
export { MemoryStorage } from './memory/memory.storage.js';
export type { MemoryStorageOptions } from './memory/memory.storage.js';
export { MemoryLock } from './memory/memory.lock.js';

export {
  getChronisEventsToken,
  getClockToken,
  getRedactorToken,
  getTracingToken,
  getLockToken,
  getDefinitionsToken,
  getSchedulerToken,
  getJobDeclarationsToken,
  getStorageToken,
  getWorkflowsToken,
  InjectChronisEvents,
  InjectDefinitions,
  InjectScheduler,
  InjectWorkflows,
} from './chronis.instances.js';
export type { ChronisFeatureOptions } from './discovery/feature.options.js';
export { ChronisModule } from './chronis.module.js';
export type {
  ChronisModuleAsyncOptions,
  ChronisModuleOptions,
  ChronisOptions,
  ChronisOptionsFactory,
  LedgerRetention,
  EventListeners,
} from './chronis.options.js';
export { ChronisOverride } from './chronis.override.js';
