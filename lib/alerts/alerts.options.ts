import {
  eventFilter,
  InvalidOptionError,
  knownOptions,
  parseDuration,
  selectEvents,
  type ChronisEventName,
  type DurationInput,
  type EventFilter,
  type EventSelector,
} from '../index.js';
import type { AlertChannel } from './alert.js';
import { checkedUrl } from './posting.js';

/** What is told, and to whom. @publicApi */
export interface AlertRule {
  /** Events, as for `@OnJobEvent`: `'run.failed'`, `['run.lost', 'job.paused']`. */
  on: EventSelector | readonly EventSelector[];
  /** Only of these; the events must be about such. @default all */
  where?: EventFilter;
  /** One channel, or several, each of which is told by itself. */
  to: AlertChannel | readonly AlertChannel[];
  /** At most one alert in so long for each group, of all processes together: 1 s to 7 days. A group is a failure of one kind of a handler, or what is about one job. @default '5m' */
  every?: DurationInput;
  /** In the alerts; processes with the same name have the same rule. @default 'rule 1' for the first, and so on */
  name?: string;
  /** Whether it is told that it is over. @default true */
  resolved?: boolean;
}

/** Options of ChronisAlertsModule. @publicApi */
export interface ChronisAlertsOptions {
  /** @default none */
  rules?: readonly AlertRule[];
  /** Addresses that are pinged when a run starts and ends, by the id of a job in the namespace `default`, or by a handler, as of healthchecks.io. @default none */
  pings?: Readonly<Record<string, string>>;
}

/** Where the module belongs to. @publicApi */
export interface ChronisAlertsPlace {
  /** The ChronisModule whose events are told, by its name. @default the one without a name */
  instance?: string;
}

/** A rule, checked. */
export interface CheckedRule {
  name: string;
  names: readonly ChronisEventName[];
  matches: (event: object) => boolean;
  channels: readonly AlertChannel[];
  everyMs: number;
  tellsEnd: boolean;
}

/** The options, checked. */
export interface AlertsSettings {
  rules: readonly CheckedRule[];
  pings: ReadonlyMap<string, URL>;
}

export const alertsKeys = ['rules', 'pings'] as const;
const ruleKeys = ['on', 'where', 'to', 'every', 'name', 'resolved'];
const shortestMs = 1_000;
const longestMs = 7 * 86_400_000;
const longestName = 100;

/** Throws InvalidOptionError. */
export function alertsSettings(given: ChronisAlertsOptions, owner: string): AlertsSettings {
  knownOptions(given, alertsKeys, owner);
  const { rules = [], pings = {} } = given;
  if (!Array.isArray(rules)) throw new InvalidOptionError('rules', 'must be a list of rules.');
  if (typeof pings !== 'object' || pings === null || Array.isArray(pings))
    throw new InvalidOptionError(
      'pings',
      'must be an object of addresses by the id of the job or by the handler.',
    );
  const checked = rules.map((rule: AlertRule, at) => checkedRule(rule, at));
  const names = checked.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new InvalidOptionError('rules', `has two with the name "${twice}". Give each another one.`);
  const urls = Object.entries(pings).map(([key, url]) => [key, checkedUrl(url, `pings.${key}`)] as const);
  return { rules: checked, pings: new Map(urls) };
}

function checkedRule(given: AlertRule, at: number): CheckedRule {
  const option = `rules[${at}]`;
  knownOptions(given, ruleKeys, option);
  const { on, where = {}, to, every = '5m', name = `rule ${at + 1}`, resolved = true } = given;
  if (on === undefined || (Array.isArray(on) && on.length === 0))
    throw new InvalidOptionError(`${option}.on`, 'must name at least one event, such as "run.failed".');
  const names = selectEvents(on, `${option}.on`);
  const channels = [to].flat() as AlertChannel[];
  if (channels.length === 0 || channels.some((each) => typeof each?.send !== 'function'))
    throw new InvalidOptionError(
      `${option}.to`,
      'must be a channel, or a list of at least one: webhook({ url }), slack({ url }), or an AlertChannel of your own.',
    );
  const everyMs = parseDuration(every, `${option}.every`);
  if (!(everyMs >= shortestMs && everyMs <= longestMs))
    throw new InvalidOptionError(`${option}.every`, 'must be 1 s to 7 days.');
  if (typeof name !== 'string' || name.trim() === '' || name.length > longestName || /[\r\n]/.test(name))
    throw new InvalidOptionError(`${option}.name`, `must be one line of at most ${longestName} characters.`);
  if (typeof resolved !== 'boolean')
    throw new InvalidOptionError(`${option}.resolved`, 'must be true or false.');
  knownOptions(where, ['handler', 'queue', 'namespace', 'jobId'], `${option}.where`);
  return { name, names, matches: eventFilter(where, names), channels, everyMs, tellsEnd: resolved };
}
