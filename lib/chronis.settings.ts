import { hostname } from 'node:os';
import type { ChronisOptions } from './chronis.options.js';
import { logSettingsOf } from './chronis.logging.js';
import { listenersOf, sharedNamesOf, type EventListening } from './chronis.listeners.js';
import type { JobOverrides } from './discovery/declaration.configuration.js';
import type { InterceptorInput } from './discovery/interceptor.resolver.js';
import type { OrphanPolicy } from './discovery/sync.plan.js';
import { engineDefaults, type EngineOptions } from './engine/engine.options.js';
import type { LogSettings } from './events/event.logger.js';
import type { ChronisEventName } from './events/event.map.js';
import { Redactor } from './events/redactor.js';
import { InvalidOptionError } from './model/errors.js';
import { gapVerdicts, outcomes, shortestKeptMs, type Retention } from './model/retention.js';
import { packageVersion } from './package.version.js';
import type { AdapterInput } from './ports/adapter.recipe.js';
import type { DurationInput } from './model/trigger.js';
import { Clock } from './ports/clock.js';
import type { LockAdapter } from './ports/lock.adapter.js';
import type { JoinableTransaction } from './ports/run.transaction.js';
import type { StorageAdapter } from './ports/storage.adapter.js';
import { SystemClock } from './ports/system.clock.js';
import { appName, queueName } from './scheduler/names.js';
import {
  described,
  knownOptions,
  lineOfText,
  oneOf,
  trueOrFalse,
  wholeNumber,
} from './scheduler/option.checks.js';
import { isParts, parseDelay, parseDuration } from './triggers/duration.js';
import { normalizeCalendars } from './triggers/exclusion.input.js';
import { assertTimeZone } from './triggers/time.zone.js';

/** The token of the settings. */
export const chronisSettings = Symbol('chronisSettings');

/** The options of the module, validated and complete. */
export interface ChronisSettings {
  storage: AdapterInput<StorageAdapter> | null;
  lock: AdapterInput<LockAdapter> | null;
  clock: Clock;
  engine: EngineOptions;
  autoStart: boolean;
  syncDeclarations: boolean;
  allowUnknownHandler: boolean;
  timeZone: string;
  payloadLimit: number;
  previousApps: readonly string[];
  orphans: OrphanPolicy;
  transactionContext: (() => JoinableTransaction | null | undefined) | null;
  interceptors: readonly InterceptorInput[];
  useEnhancers: boolean;
  overrides: JobOverrides;
  /** Of the option `on`. */
  listeners: readonly EventListening[];
  /** null: nothing is written. */
  log: LogSettings | null;
  redactor: Redactor;
  /** Events that other instances are told of; null: none, and theirs are not heard. */
  sharedEvents: readonly ChronisEventName[] | null;
  /** A ChronisOverride is in force: nobody needs advice on how to run it. */
  isTest: boolean;
}

const knownKeys = [
  'storage',
  'lock',
  'app',
  'name',
  'queues',
  'pollMs',
  'lookAheadMs',
  'leaseMs',
  'maxBlockedMs',
  'concurrency',
  'autoStart',
  'syncDeclarations',
  'allowUnknownHandler',
  'timeZone',
  'calendars',
  'shutdownTimeoutMs',
  'abortGraceMs',
  'payloadLimit',
  'keepLedger',
  'keepHistory',
  'keepAudit',
  'statistics',
  'pausedTooLong',
  'previousApps',
  'orphans',
  'transactionContext',
  'on',
  'log',
  'redact',
  'shareEvents',
  'interceptors',
  'useEnhancers',
  'overrides',
  'clock',
] satisfies (keyof ChronisOptions)[];

const minute = 60_000;
const hour = 60 * minute;
const hundredYears = 36_525 * 24 * hour;
const mebibyte = 1_048_576;

/** Checks the options and fills in the defaults. Throws InvalidOptionError, and InvalidScheduleError for zones and durations. */
export function settingsOf(given: ChronisOptions): ChronisSettings {
  for (const option of ['isGlobal', 'instance']) {
    if (typeof given !== 'object' || given === null || !(option in given)) continue;
    const problem = 'is needed before the options are made: give it beside useFactory.';
    throw new InvalidOptionError(option, problem);
  }
  knownOptions(given, knownKeys, 'ChronisModule');
  const { storage = null, lock = null, orphans = 'keep', clock = new SystemClock() } = given;
  const { transactionContext = null } = given;
  if (!isClock(clock)) {
    throw new InvalidOptionError(
      'clock',
      `must be a Clock, such as ManualClock, but is ${described(clock)}.`,
    );
  }
  if (transactionContext !== null && typeof transactionContext !== 'function') {
    throw new InvalidOptionError(
      'transactionContext',
      `must be a function that gives the current EntityManager, but is ${described(transactionContext)}.`,
    );
  }
  return {
    storage: adapterOrRecipe(storage, 'storage', 'typeOrmStorage({ url })'),
    lock: adapterOrRecipe(lock, 'lock', 'typeOrmLock()'),
    clock,
    engine: engineOptionsOf(given),
    interceptors: interceptorsOf(given.interceptors ?? []),
    useEnhancers: trueOrFalse(given.useEnhancers ?? false, 'useEnhancers'),
    overrides: overridesOf(given.overrides ?? {}),
    autoStart: trueOrFalse(given.autoStart ?? true, 'autoStart'),
    syncDeclarations: trueOrFalse(given.syncDeclarations ?? true, 'syncDeclarations'),
    allowUnknownHandler: trueOrFalse(given.allowUnknownHandler ?? false, 'allowUnknownHandler'),
    timeZone: assertTimeZone(given.timeZone ?? 'UTC'),
    payloadLimit: wholeNumber(given.payloadLimit ?? mebibyte, 'payloadLimit', 1, 100 * mebibyte),
    previousApps: previousAppsOf(given.previousApps ?? [], given.app ?? 'default'),
    orphans: oneOf(orphans, 'orphans', ['keep', 'delete']),
    transactionContext,
    listeners: listenersOf(given.on),
    log: logSettingsOf(given.log),
    redactor: new Redactor(given.redact),
    sharedEvents: sharedNamesOf(given.shareEvents),
    isTest: false,
  };
}

function previousAppsOf(given: unknown, app: string): readonly string[] {
  if (!Array.isArray(given)) {
    throw new InvalidOptionError('previousApps', `must be a list of names, but is ${described(given)}.`);
  }
  const names = given.map((name, i) => lineOfText(name, `previousApps[${i}]`, 100));
  if (names.includes(app))
    throw new InvalidOptionError('previousApps', `must not name the app itself, "${app}".`);
  return names;
}

function overridesOf(given: unknown): JobOverrides {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given as JobOverrides;
  throw new InvalidOptionError(
    'overrides',
    `must be an object of options by the id of the job, but is ${described(given)}.`,
  );
}

function interceptorsOf(given: unknown): readonly InterceptorInput[] {
  if (!Array.isArray(given)) {
    throw new InvalidOptionError('interceptors', `must be a list, but is ${described(given)}.`);
  }
  for (const [i, input] of given.entries()) {
    const intercept: unknown = (typeof input === 'function' ? input.prototype : input)?.intercept;
    if (typeof intercept === 'function') continue;
    throw new InvalidOptionError(
      `interceptors[${i}]`,
      `must be a ChronisInterceptor or the class of one, but is ${described(input)}.`,
    );
  }
  return given as readonly InterceptorInput[];
}

function engineOptionsOf(given: ChronisOptions): EngineOptions {
  const { app, name, pollMs, leaseMs, concurrency, shutdownTimeoutMs, abortGraceMs, keepLedger } = given;
  const shutdownMs = duration(
    shutdownTimeoutMs,
    'shutdownTimeoutMs',
    0,
    hour,
    engineDefaults.shutdownTimeoutMs,
  );
  const graceDefault = Math.min(engineDefaults.abortGraceMs, Math.floor(shutdownMs / 2));
  const graceMs = duration(abortGraceMs, 'abortGraceMs', 0, hour, graceDefault);
  if (graceMs > shutdownMs) {
    throw new InvalidOptionError(
      'abortGraceMs',
      `${graceMs} ms do not fit into shutdownTimeoutMs, which is ${shutdownMs} ms. Raise that, or lower this.`,
    );
  }
  return {
    ...engineDefaults,
    name: lineOfText(name ?? `${hostname()}:${process.pid}`, 'name'),
    app: appName(app ?? 'default'),
    version: packageVersion,
    queues: queuesOf(given.queues),
    calendars: normalizeCalendars(given.calendars ?? {}),
    pollMs: duration(pollMs, 'pollMs', 100, minute, engineDefaults.pollMs),
    lookAheadMs: duration(given.lookAheadMs, 'lookAheadMs', 0, 2_000, engineDefaults.lookAheadMs),
    leaseMs: duration(leaseMs, 'leaseMs', 1_000, hour, engineDefaults.leaseMs),
    maxBlockedMs: duration(given.maxBlockedMs, 'maxBlockedMs', 0, hour, engineDefaults.maxBlockedMs),
    concurrency: wholeNumber(concurrency ?? engineDefaults.concurrency, 'concurrency', 1, 10_000),
    shutdownTimeoutMs: shutdownMs,
    abortGraceMs: graceMs,
    retention: {
      ...retentionOf(keepLedger),
      historyMs: historyMsOf(given.keepHistory),
      auditMs: duration(
        given.keepAudit,
        'keepAudit',
        minute,
        hundredYears,
        engineDefaults.retention.auditMs!,
      ),
    },
    statistics: countsStatistics(given),
    pausedTooLongMs:
      given.pausedTooLong === 'never'
        ? null
        : duration(
            given.pausedTooLong,
            'pausedTooLong',
            minute,
            hundredYears,
            engineDefaults.pausedTooLongMs,
          ),
  };
}

function countsStatistics({ statistics = false, keepLedger }: ChronisOptions): boolean {
  if (trueOrFalse(statistics, 'statistics') && shortestKeptMs(retentionOf(keepLedger)) < hour) {
    throw new InvalidOptionError(
      'statistics',
      'are counted out of the ledger, which "keepLedger" keeps for less than an hour. Keep it longer.',
    );
  }
  return statistics;
}

function retentionOf(given: ChronisOptions['keepLedger']): Retention {
  const kept = (value: unknown, option: string, otherwise: number): number =>
    duration(value, option, minute, hundredYears, otherwise);
  const { defaultMs } = engineDefaults.retention;
  if (typeof given !== 'object' || given === null || isParts(given)) {
    return { defaultMs: kept(given, 'keepLedger', defaultMs), byVerdict: {} };
  }
  const verdicts = [...outcomes, ...gapVerdicts];
  knownOptions(given, ['default', ...verdicts], 'keepLedger');
  const byVerdict = verdicts
    .filter((verdict) => given[verdict] !== undefined)
    .map((verdict) => [verdict, kept(given[verdict], `keepLedger.${verdict}`, 0)]);
  return {
    defaultMs: kept(given.default, 'keepLedger.default', defaultMs),
    byVerdict: Object.fromEntries(byVerdict) as Retention['byVerdict'],
  };
}

function historyMsOf(given: ChronisOptions['keepHistory']): number {
  if (given === 'none') return 0;
  return duration(given, 'keepHistory', minute, hundredYears, engineDefaults.retention.historyMs);
}

function queuesOf(given: unknown): readonly string[] {
  if (given === undefined) return ['default'];
  if (!Array.isArray(given) || given.length === 0) {
    throw new InvalidOptionError(
      'queues',
      `must be a list of at least one name, but is ${described(given)}. To run no jobs at all use autoStart: false.`,
    );
  }
  return [...new Set(given.map((queue, i) => queueName(queue, `queues[${i}]`)))];
}

/** Milliseconds from a duration, in bounds that make sense for the option. */
function duration(given: unknown, option: string, least: number, most: number, otherwise: number): number {
  if (given === undefined) return otherwise;
  const ms = milliseconds(given as DurationInput, option, least === 0 ? parseDelay : parseDuration);
  if (ms >= least && ms <= most) return ms;
  throw new InvalidOptionError(option, `must be ${least} to ${most} ms, but is ${described(given)}.`);
}

function milliseconds(given: DurationInput, option: string, parse: typeof parseDelay): number {
  try {
    return parse(given, option);
  } catch (error) {
    const { message } = error as Error;
    throw new InvalidOptionError(option, message.slice(option.length + 2));
  }
}

/** Also one of another copy of this package. */
function isClock(given: unknown): given is Clock {
  const methods = ['now', 'monotonic', 'setTimer', 'setExactTimer'] as const;
  const clock = given as Record<(typeof methods)[number], unknown>;
  return (
    typeof given === 'object' && given !== null && methods.every((name) => typeof clock[name] === 'function')
  );
}

function adapterOrRecipe<T extends object>(given: T | null, option: string, example: string): T | null {
  if (given === null || (typeof given === 'object' && ('create' in given || 'init' in given))) return given;
  throw new InvalidOptionError(
    option,
    `must be a recipe such as ${example}, or an instance of an adapter, but is ${described(given)}.`,
  );
}
