import { randomUUID } from 'node:crypto';
import type { OnModuleDestroy } from '@nestjs/common';
import {
  MemoryStorage,
  type BulkActionStorage,
  type Clock,
  type JsonObject,
  type StorageAdapter,
  type StoredBulkAction,
  type TenantScheduler,
} from '../index.js';
import { bulkActions, type BulkWord } from './bulk.words.js';
import { BulkReport, leaseMs, type BulkEnd } from './bulk.report.js';
import { sumOf } from './sum.js';
import type { LiveChanges } from './live.changes.js';
import { HttpProblem, problemOf } from './problem.js';

/** What somebody wants to be done to many. */
export interface BulkOrder {
  action: BulkWord;
  /** As it holds from now on. */
  filter: Record<string, unknown>;
  /** No more than so many are concerned. */
  expected: number;
  options: object;
  by: string | null;
  /** The request, as it was sent. */
  asked: object;
  /** The same wish again is the same change. null: each is one of its own. */
  key: string | null;
}

/** Of this process. */
const mostRunning = 10;
const mostListed = 100;

interface Running {
  report: BulkReport;
  over: Promise<void>;
}

/**
 * Changes of many that a process does beside the requests that asked for them. How far each is lies in the storage, where that keeps it, so that every process tells of it and ends it; a storage that keeps none has this process alone do so.
 * They end with their process: what is done is done, the audit has how much that was, and a new one does the rest.
 */
export class BulkActions implements OnModuleDestroy {
  private readonly running = new Map<string, Running>();
  private readonly store: BulkActionStorage;
  private readonly owner = randomUUID();
  private beginning = 0;

  constructor(
    { bulkActions: store }: Pick<StorageAdapter, 'bulkActions'>,
    private readonly clock: Clock,
    private readonly live: LiveChanges,
  ) {
    this.store = store ?? new MemoryStorage({ clock }).bulkActions;
  }

  /** Begins it, or gives the one of this key. Throws HttpProblem: too many go on, or the key is that of another wish. */
  async begin(
    { action, filter, expected, options, by, asked, key }: BulkOrder,
    { scheduler, tenant }: { scheduler: TenantScheduler; tenant: string | null },
  ): Promise<StoredBulkAction> {
    const id = key === null ? randomUUID() : sumOf([tenant, by, key]).slice(0, 32);
    const sum = sumOf(asked);
    const there = key === null ? null : await this.store.get(id);
    if (there !== null) return same(there, sum);
    if (this.running.size + this.beginning >= mostRunning)
      throw new HttpProblem(429, 'http.too-many-bulk-actions', `${mostRunning} bulk actions go on already.`, {
        'Retry-After': '5',
      });
    const order = { id, tenant, action, filter: filter as JsonObject, expected, asked: sum, actor: by };
    this.beginning++;
    try {
      const { begun, action: stored } = await this.store.begin({ ...order, owner: this.owner }, leaseMs);
      if (!begun) return same(stored, sum);
      const report = new BulkReport(this.store, this.clock, { id, owner: this.owner });
      this.running.set(id, { report, over: this.run(stored, report, scheduler, options) });
      return stored;
    } finally {
      this.beginning--;
    }
  }

  /** The newest first. */
  list(tenant: string | null): Promise<StoredBulkAction[]> {
    return this.store.list(tenant, mostListed);
  }

  /** Throws HttpProblem: there is none of this id. */
  async get(id: string, tenant: string | null): Promise<StoredBulkAction> {
    const found = await this.store.get(id);
    if (found !== null && (tenant === null || found.tenant === tenant)) return found;
    throw new HttpProblem(
      404,
      'http.no-bulk-action',
      'There is no such bulk action, or not any more. The audit has what was done.',
    );
  }

  /** Ends it before its next step: waits for that where this process does it, else its process hears of it with its next step. Throws HttpProblem: there is none of this id. */
  async abort(id: string, tenant: string | null): Promise<StoredBulkAction> {
    await this.get(id, tenant);
    const here = this.running.get(id);
    here?.report.abort();
    await this.store.requestAbort(id);
    await here?.over;
    return this.get(id, tenant);
  }

  async onModuleDestroy(): Promise<void> {
    const all = [...this.running.values()];
    for (const { report } of all) report.abort();
    await Promise.all(all.map(({ over }) => over));
  }

  /** Never rejects. */
  private async run(
    { id, action, filter, expected, tenant }: StoredBulkAction,
    report: BulkReport,
    scheduler: TenantScheduler,
    options: object,
  ): Promise<void> {
    const { topic, apply } = bulkActions[action as BulkWord];
    const namespace = tenant === null ? null : `tenant:${tenant}`;
    const onStep = (soFar: { matched: number; changed: number }): void => {
      report.note(soFar);
      this.live.note(topic, namespace);
    };
    let end: BulkEnd;
    try {
      const steps = { most: expected, signal: report.signal, onStep };
      const outcome = await apply(scheduler, filter, { ...options, ...steps });
      const isCut = report.signal.aborted && outcome.matched < expected;
      end = { ...outcome, state: isCut ? 'aborted' : 'done' };
    } catch (error) {
      end = { state: 'failed', problem: problemOf(error).problem };
    }
    await report.end(end);
    this.running.delete(id);
    this.live.note('bulk-actions', namespace);
  }
}

/** Throws HttpProblem: it is another wish. */
function same(there: StoredBulkAction, asked: string): StoredBulkAction {
  if (there.asked === asked) return there;
  throw new HttpProblem(
    422,
    'http.idempotency-key-reused',
    'This Idempotency-Key was sent before with another bulk action. Give each a key of its own.',
  );
}
