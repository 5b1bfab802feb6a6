import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type {
  ChronisEventMap,
  ChronisEventName,
  ChronisEvents,
  Clock,
  EventOrigin,
  LockAdapter,
  Redactor,
  SchedulerService,
} from '../index.js';
import type { AlertChannel, Alert } from './alert.js';
import { endOf, hasSucceeded } from './alert.ends.js';
import { AlertGroups, type Seen } from './alert.groups.js';
import { alertText, groupOf, subjectOf } from './alert.text.js';
import type { AlertsSettings, CheckedRule } from './alerts.options.js';
import { Delivery } from './delivery.js';
import { pingOf, sendPing, type Ping } from './pings.js';

/** What alerts are made of. */
export interface AlertsParts {
  scheduler: SchedulerService;
  events: ChronisEvents;
  lock: LockAdapter;
  clock: Clock;
  redactor: Redactor;
}

/** At the end of the process: then what is not sent is lost. */
const patienceMs = 3_000;

/** Listens to the events of this process, and tells the channels. */
export class ChronisAlerts implements OnApplicationShutdown {
  private readonly log = new Logger('ChronisAlerts');
  private readonly channels = new Map<AlertChannel, Delivery<Alert>>();
  private readonly pings = new Map<string, Delivery<Ping>>();
  private readonly groups: AlertGroups;
  private readonly stops: (() => void)[] = [];
  /** Told by what has ended last. */
  private instance = '';

  constructor(
    private readonly parts: AlertsParts,
    { rules, pings }: AlertsSettings,
  ) {
    const { lock, clock, events, scheduler } = parts;
    this.groups = new AlertGroups({
      ...{ lock, clock },
      fire: (seen, count) => this.tell(seen, 'firing', count),
      resolve: (seen) => this.tell(seen, 'resolved', 0),
      hasSucceeded: (subject) => hasSucceeded(scheduler, subject).catch(() => false),
    });
    for (const rule of rules) for (const name of rule.names) this.listen(rule, name);
    this.stops.push(
      ...pingOf({
        ...{ events, urls: pings },
        textOf: (name, event) => alertText(event, { name } as EventOrigin<typeof name>, parts.redactor).text,
        push: (key, ping) => this.pingerOf(key).push(ping),
      }),
    );
  }

  /** When the last runs have ended: their alerts go out for some seconds yet. */
  async onApplicationShutdown(): Promise<void> {
    for (const stop of this.stops) stop();
    await this.groups.close();
    const all = [...this.channels.values(), ...this.pings.values()];
    await Promise.all(all.map((each) => each.close(patienceMs)));
  }

  private listen(rule: CheckedRule, name: ChronisEventName): void {
    const { events } = this.parts;
    this.stops.push(
      events.on(name, (event, origin) => {
        if (rule.matches(event)) this.groups.note(this.seen(rule, name, event, origin));
      }),
    );
    const end = endOf(name);
    if (end === null || !rule.tellsEnd) return;
    const ended = (event: ChronisEventMap[ChronisEventName], origin: EventOrigin): unknown =>
      rule.matches(event) ? this.groups.end(this.seen(rule, name, event, origin)) : undefined;
    this.stops.push(events.on(end, ended, { remote: true }));
  }

  /** `name`: by which event it is a group, also of the one that ends it. */
  private seen(
    rule: CheckedRule,
    name: ChronisEventName,
    event: ChronisEventMap[ChronisEventName],
    origin: EventOrigin,
  ): Seen {
    this.instance = origin.instance;
    const subject = subjectOf(event);
    const group = groupOf(rule.name, name, subject, event);
    return { rule, event: name, group, subject, ...alertText(event, origin, this.parts.redactor) };
  }

  private tell(
    { rule, event, group, title, text, subject }: Seen,
    state: Alert['state'],
    count: number,
  ): void {
    const { instance } = this;
    const at = new Date(this.parts.clock.now());
    const head = state === 'resolved' ? `Resolved: ${title}`.slice(0, 200) : title;
    const alert: Alert = {
      state,
      rule: rule.name,
      event,
      group,
      title: head,
      text,
      count,
      instance,
      at,
      ...subject,
    };
    for (const channel of rule.channels) this.deliveryOf(channel).push(alert);
  }

  private deliveryOf(channel: AlertChannel): Delivery<Alert> {
    const send = (alert: Alert, signal: AbortSignal): Promise<void> => channel.send(alert, signal);
    return made(this.channels, channel, () => this.delivery(send, () => channel.name));
  }

  private pingerOf(key: string): Delivery<Ping> {
    return made(this.pings, key, () => this.delivery(sendPing, () => `ping of ${key}`));
  }

  private delivery<T>(
    send: (item: T, signal: AbortSignal) => Promise<void>,
    nameOf: () => string,
  ): Delivery<T> {
    const { clock, redactor } = this.parts;
    const onLost = (sentence: string): void =>
      this.log.warn(redactor.text(`Not delivered (${nameOf()}): ${sentence}`, 'log'));
    return new Delivery({ clock, send, onLost });
  }
}

function made<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let known = map.get(key);
  if (known === undefined) map.set(key, (known = make()));
  return known;
}
