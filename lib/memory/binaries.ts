import { taskTypeOf } from '../model/task.js';
import {
  binaryKeptMs,
  binaryUseMs,
  type BinaryStorage,
  type EpochMs,
  type StoredBinary,
} from '../ports/storage.adapter.js';
import { allSteps } from './flow.rows.js';
import type { BinaryRow, MemoryTables, Step } from './tables.js';

/** Programs in memory, as text: as they are in snapshots. */
export class MemoryBinaries implements BinaryStorage {
  constructor(private readonly atomically: <T>(step: Step<T>) => Promise<T>) {}

  putBinary(sha256: string, bytes: Uint8Array): Promise<StoredBinary> {
    return this.atomically((tables, now) => {
      const there = used(tables, now, sha256);
      if (there !== null) return about(there);
      const base64 = Buffer.from(bytes).toString('base64');
      const row = { sha256, size: bytes.length, storedAt: now, usedAt: now, base64 };
      tables.binaries.set(sha256, row);
      return about(row);
    });
  }

  useBinary(sha256: string): Promise<StoredBinary | null> {
    return this.atomically((tables, now) => {
      const row = used(tables, now, sha256);
      return row && about(row);
    });
  }

  async readBinary(sha256: string): Promise<Uint8Array | null> {
    const base64 = await this.atomically((tables, now) => used(tables, now, sha256)?.base64 ?? null);
    return base64 === null ? null : Buffer.from(base64, 'base64');
  }
}

export function pruneBinaries(tables: MemoryTables, now: EpochMs): void {
  const old = [...tables.binaries.values()].filter(({ usedAt }) => usedAt < now - binaryKeptMs);
  if (old.length === 0) return;
  const isNamed = namedIn(tables);
  for (const row of old) {
    if (isNamed(row.sha256)) tables.binaries.set(row.sha256, { ...row, usedAt: now });
    else tables.binaries.delete(row.sha256);
  }
}

/** Whether something refers to it. */
function namedIn({ jobsByUid, runs, flows, definitions }: MemoryTables): (sha256: string) => boolean {
  const named = new Set<unknown>();
  const name = ({ handler, payload }: { handler: string; payload: unknown }): void => {
    if (taskTypeOf(handler) !== null) named.add((payload as { sha256?: unknown } | null)?.sha256);
  };
  const declared: string[] = [];
  for (const job of jobsByUid.values()) {
    name(job.definition);
    if (job.changed !== null) declared.push(JSON.stringify(job.changed));
  }
  for (const { job } of runs.values()) name(job.definition);
  for (const flow of flows.values()) for (const { definition } of allSteps(flow)) name(definition);
  for (const versions of definitions.values())
    for (const { spec } of versions) declared.push(JSON.stringify(spec));
  return (sha256) => named.has(sha256) || declared.some((text) => text.includes(sha256));
}

function used({ binaries }: MemoryTables, now: EpochMs, sha256: string): BinaryRow | null {
  const row = binaries.get(sha256);
  if (row === undefined) return null;
  if (row.usedAt >= now - binaryUseMs) return row;
  const fresh = { ...row, usedAt: now };
  binaries.set(sha256, fresh);
  return fresh;
}

function about({ sha256, size, storedAt, usedAt }: BinaryRow): StoredBinary {
  return { sha256, size, storedAt, usedAt };
}
