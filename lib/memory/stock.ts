import { isFailure } from '../model/verdict.js';
import {
  mostCounted,
  mostKeptCounted,
  type EpochMs,
  type QueueStock,
  type Stock,
} from '../ports/storage.adapter.js';
import { isStopped } from './scopes.js';
import type { MemoryTables } from './tables.js';

export function takeStock(tables: MemoryTables, now: EpochMs): Stock {
  const queues = new Map<string, QueueStock>();
  const of = (queue: string): QueueStock => {
    let stock = queues.get(queue);
    if (!stock) queues.set(queue, (stock = { queue, due: 0, oldestDueAt: null, deadLetters: 0 }));
    return stock;
  };
  const noteDue = (queue: string, at: EpochMs): void => {
    const stock = of(queue);
    stock.oldestDueAt = Math.min(stock.oldestDueAt ?? Infinity, at);
  };
  for (const run of tables.waiting.items()) {
    if (run.dueAt > now || isStopped(tables, run.job)) continue;
    const { queue } = run.job.definition;
    noteDue(queue, run.dueAt);
    of(queue).due++;
  }
  for (const job of tables.cursors.items()) {
    const due = job.cursorAt !== null && job.cursorAt <= now;
    if (due && !isStopped(tables, job)) noteDue(job.definition.queue, job.cursorAt!);
  }
  const unclaimable = new Map<string, number>();
  for (const { verdict, deferredUntil, dueAt, worker, job } of tables.runs.values()) {
    const { handler, queue } = job.definition;
    if (verdict !== null && isFailure(verdict)) of(queue).deadLetters++;
    const isPutOff = verdict === null && worker === null && deferredUntil !== null && deferredUntil === dueAt;
    if (isPutOff && dueAt > now) unclaimable.set(handler, (unclaimable.get(handler) ?? 0) + 1);
  }
  return {
    now,
    queues: [...queues.values()]
      .map((stock) => ({
        ...stock,
        due: Math.min(stock.due, mostCounted),
        deadLetters: Math.min(stock.deadLetters, mostKeptCounted),
      }))
      .sort((a, b) => (a.queue < b.queue ? -1 : 1)),
    unclaimable: Array.from(unclaimable, ([handler, runs]) => ({ handler, runs })).sort((a, b) =>
      a.handler < b.handler ? -1 : 1,
    ),
    workers: workersOf(tables, now),
    pauses: pausesOf(tables),
  };
}

function workersOf(tables: MemoryTables, now: EpochMs): Stock['workers'] {
  let [live, lost] = [0, 0];
  for (const { id, leaseUntil } of tables.workers.values()) {
    if (leaseUntil > now) live++;
    else if ((tables.held.get(id)?.size ?? 0) > 0) lost++;
  }
  return { live, lost };
}

function pausesOf(tables: MemoryTables): Stock['pauses'] {
  const kinds = new Map<Stock['pauses'][number]['kind'], number>();
  for (const { kind } of tables.pauses.values()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return Array.from(kinds, ([kind, scopes]) => ({ kind, scopes })).sort((a, b) => (a.kind < b.kind ? -1 : 1));
}
