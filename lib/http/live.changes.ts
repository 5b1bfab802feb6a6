import type { ServerResponse } from 'node:http';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import type { CancelTimer, ChronisEvents, Clock, Stock, StorageAdapter } from '../index.js';
import { LiveStream } from './live.stream.js';
import { HttpProblem } from './problem.js';

/** What has changed: what is to be read anew. */
export type Topic = 'jobs' | 'runs' | 'pauses' | 'workers' | 'workflows' | 'health' | 'bulk-actions';

/** By what the names of events begin with. */
const topics: Readonly<Record<string, Topic>> = {
  job: 'jobs',
  jobs: 'jobs',
  gap: 'jobs',
  schedule: 'jobs',
  schedules: 'jobs',
  run: 'runs',
  runs: 'runs',
  pause: 'pauses',
  pauses: 'pauses',
  worker: 'workers',
  workers: 'workers',
  scheduler: 'workers',
  storage: 'health',
  files: 'health',
  clock: 'health',
};

export const liveMs = {
  /** How often the storage is looked at, while somebody looks. */
  poll: 2_000,
  /** Changes within so long are told together. */
  gather: 500,
  beat: 15_000,
  /** Then the client comes back, and the guards are asked anew. */
  longest: 600_000,
} as const;
/** More are refused: they ask from time to time instead. */
export const mostStreams = 100;

interface LiveParts {
  storage: StorageAdapter;
  events: ChronisEvents;
  clock: Clock;
}

/** Tells all who look what has changed: one look at the storage for all of them, and none while nobody looks. Ends with the application. */
export class LiveChanges implements BeforeApplicationShutdown {
  private readonly streams = new Map<LiveStream, CancelTimer>();
  /** By namespace; null: of none, so it is for those who are confined to no tenant. */
  private changed = new Map<string | null, Set<Topic>>();
  private readonly timers = new Map<keyof typeof liveMs, CancelTimer>();
  private stopListening: (() => void) | null = null;
  private stock: string | null = null;
  private readonly listeners: (() => void)[] = [];
  private isClosed = false;

  constructor(private readonly parts: LiveParts) {}

  /** How many look at present. */
  get viewers(): number {
    return this.streams.size;
  }

  /** Throws HttpProblem: there are too many, or the application ends. */
  assertRoom(): void {
    if (!this.isClosed && this.streams.size < mostStreams) return;
    const why = this.isClosed ? 'This process ends.' : `${mostStreams} clients look already.`;
    throw new HttpProblem(503, 'http.no-stream', `${why} Ask again, and read from time to time meanwhile.`, {
      'Retry-After': '15',
    });
  }

  /** From now on the client is told. The first thing that it hears is that it should read all anew. */
  join(response: ServerResponse, tenant: string | null, headers: Readonly<Record<string, unknown>>): void {
    const stream = new LiveStream(response, tenant, (ended) => this.leave(ended));
    const { clock } = this.parts;
    this.streams.set(
      stream,
      clock.setTimer(liveMs.longest, () => stream.end()),
    );
    stream.begin(headers);
    stream.tell('hello', { at: new Date(clock.now()) });
    if (this.streams.size === 1) this.begin();
  }

  /** `call`: before clients are told of changes, or where there are none, when something has changed. */
  onChange(call: () => void): void {
    this.listeners.push(call);
  }

  /** Something was changed by this process itself. */
  note(topic: Topic, namespace: string | null): void {
    if (this.streams.size === 0) return this.announce();
    const noted = this.changed.get(namespace) ?? new Set();
    this.changed.set(namespace, noted.add(topic));
    if (!this.timers.has('gather')) this.later('gather', () => this.tellChanges());
  }

  beforeApplicationShutdown(): void {
    this.isClosed = true;
    for (const stream of this.streams.keys()) stream.end();
    this.end();
  }

  private leave(stream: LiveStream): void {
    this.streams.get(stream)?.();
    this.streams.delete(stream);
    if (this.streams.size === 0) this.end();
  }

  private begin(): void {
    this.stopListening = this.parts.events.onAny(
      (name, event) => {
        const topic = topics[name.slice(0, name.indexOf('.'))];
        const { namespace } = event as { namespace?: unknown };
        if (topic !== undefined) this.note(topic, typeof namespace === 'string' ? namespace : null);
      },
      { remote: true },
    );
    this.beat();
    void this.look();
  }

  private end(): void {
    this.stopListening?.();
    this.stopListening = null;
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
    this.changed.clear();
    this.stock = null;
  }

  /** Never two at a time: the next one begins after this one has ended. */
  private async look(): Promise<void> {
    try {
      const found = await this.parts.storage.takeStock?.();
      if (found !== undefined) this.tellStock(found);
    } catch {
      // What stands in its way is told by what is asked for next.
    }
    if (this.stopListening !== null && !this.timers.has('poll')) this.later('poll', () => void this.look());
  }

  /** Of all tenants together: not for who is confined to one. */
  private tellStock({ now, ...counts }: Stock): void {
    const text = JSON.stringify(counts);
    if (text === this.stock) return;
    const isFirst = this.stock === null;
    this.stock = text;
    if (isFirst) return;
    this.announce();
    for (const stream of this.streams.keys()) {
      if (stream.tenant === null) stream.tell('stock', { at: new Date(now), ...counts });
    }
  }

  private tellChanges(): void {
    const { changed } = this;
    this.changed = new Map();
    this.announce();
    for (const stream of this.streams.keys()) {
      const heard = [...changed].flatMap(([namespace, noted]) =>
        stream.tenant === null || namespace === `tenant:${stream.tenant}` ? [...noted] : [],
      );
      if (heard.length > 0) stream.tell('change', { topics: [...new Set(heard)].toSorted() });
    }
  }

  private announce(): void {
    for (const call of this.listeners) call();
  }

  private beat(): void {
    this.later('beat', () => {
      for (const stream of this.streams.keys()) stream.beat();
      this.beat();
    });
  }

  private later(name: keyof typeof liveMs, call: () => void): void {
    this.timers.set(
      name,
      this.parts.clock.setTimer(liveMs[name], () => {
        this.timers.delete(name);
        call();
      }),
    );
  }
}
