import { randomUUID } from 'node:crypto';
import type { CancelTimer, ChronisEventName, Clock, LockAdapter } from '../index.js';
import { isFailure } from './alert.ends.js';
import type { Subject } from './alert.text.js';
import type { CheckedRule } from './alerts.options.js';

/** What has been seen of a group. */
export interface Seen {
  rule: CheckedRule;
  event: ChronisEventName;
  group: string;
  title: string;
  text: string;
  subject: Subject;
}

/** What groups need. */
export interface GroupParts {
  lock: LockAdapter;
  clock: Clock;
  fire: (seen: Seen, count: number) => void;
  resolve: (seen: Seen) => void;
  /** Whether the job of a failure has succeeded since. */
  hasSucceeded: (subject: Subject) => Promise<boolean>;
}

interface Group {
  seen: Seen;
  /** Since the last alert. */
  count: number;
  /** This process has told of it, and not yet of its end. */
  isOpen: boolean;
  windows: number;
  cancel: CancelTimer;
}

const mostGroups = 500;
/** So that the lock of the window before has ended by the storage's clock. */
const afterLockMs = 100;
const openMs = 7 * 86_400_000;

/**
 * Lets one alert of each group out in each window, of all processes together: that of the process which gets the lock of the group for the length of the window. It is not given back, so the window ends with the lock.
 *
 * seen → window (told by whoever has got the lock; what comes meanwhile is counted) → seen again: next window · not: gone, and where it was told, looked after until it is over.
 */
export class AlertGroups {
  private readonly groups = new Map<string, Group>();
  private readonly pending = new Set<Promise<void>>();
  private isClosed = false;

  constructor(private readonly parts: GroupParts) {}

  note(seen: Seen): void {
    const group = this.groupOf(seen);
    group.count++;
    group.seen = { ...seen, group: group.seen.group };
    if (group.windows === 0) this.begin(this.open(group));
  }

  /** It is over, as an event of any process says; told by one that sees it. */
  end(seen: Seen): void {
    const group = this.groups.get(seen.group);
    if (group !== undefined) [group.count, group.isOpen] = [0, false];
    this.begin(this.tellEnd(seen));
  }

  /** Resolves when all that has been seen is told. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.pending);
    for (const { cancel } of this.groups.values()) cancel();
    this.groups.clear();
  }

  private begin(work: Promise<void>): void {
    this.pending.add(work);
    void work.finally(() => this.pending.delete(work));
  }

  private windowBegins(group: Group, ms: number): void {
    if (this.isClosed) return;
    group.cancel = this.parts.clock.setTimer(ms, () => this.begin(this.windowEnds(group)));
  }

  private groupOf(seen: Seen): Group {
    const { groups } = this;
    const known = groups.get(seen.group);
    if (known !== undefined) return known;
    // What there are too many of is one group for each rule, and has no end.
    const isOther = groups.size >= mostGroups;
    const id = isOther ? `other ${seen.rule.name}` : seen.group;
    const other = groups.get(id);
    if (other !== undefined) return other;
    const group = { count: 0, isOpen: false, windows: 0, cancel: () => undefined };
    const made: Group = { ...group, seen: { ...seen, group: id } };
    groups.set(id, made);
    return made;
  }

  private async open(group: Group): Promise<void> {
    group.windows++;
    const { seen, count } = group;
    group.count = 0;
    const { everyMs, tellsEnd } = seen.rule;
    if (await this.isOurs(`window ${seen.group}`, everyMs)) {
      this.parts.fire(seen, count);
      group.isOpen = tellsEnd;
      if (tellsEnd) await this.isOurs(`open ${seen.group}`, openMs, false);
    }
    this.windowBegins(group, everyMs + afterLockMs);
  }

  private async windowEnds(group: Group): Promise<void> {
    if (group.count > 0) return this.open(group);
    const { seen } = group;
    const isLookedAfter = group.isOpen && isFailure(seen.event) && seen.rule.everyMs * group.windows < openMs;
    if (!isLookedAfter) return void this.groups.delete(seen.group);
    if ((await this.parts.hasSucceeded(seen.subject)) && group.count === 0) {
      this.groups.delete(seen.group);
      return this.tellEnd(seen);
    }
    group.windows++;
    this.windowBegins(group, seen.rule.everyMs);
  }

  private async tellEnd(seen: Seen): Promise<void> {
    try {
      // Frees it for one of those who ask.
      if (await this.parts.lock.reset(lockKey(`open ${seen.group}`))) this.parts.resolve(seen);
    } catch {
      // Who does not know whether others have told it tells it: better twice than never.
      this.parts.resolve(seen);
    }
  }

  /** `otherwise`: where the storage does not answer. Alerts go out then, too: of that above all. */
  private async isOurs(key: string, forMs: number, otherwise = true): Promise<boolean> {
    try {
      // An owner of its own each time, or this process would get it anew.
      return (await this.parts.lock.acquire(lockKey(key), randomUUID(), forMs)) !== null;
    } catch {
      return otherwise;
    }
  }
}

function lockKey(key: string): string {
  return `chronis alert ${key}`;
}
