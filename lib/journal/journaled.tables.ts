import type { Definition } from '../model/definition.js';
import { allSteps, type FlowRow, type FlowStepRow } from '../memory/flow.rows.js';
import { fill, storedJob, storedRun } from '../memory/stored.rows.js';
import {
  MemoryTables,
  type AuditRow,
  type BinaryRow,
  type BulkActionRow,
  type GapRow,
  type JobRow,
  type LedgerRow,
  type Noted,
  type OwnedTable,
  type PauseRow,
  type Release,
  type RollupRow,
  type OverdueRow,
  type RunLogRow,
  type RunProgressRow,
  type RunRow,
  type SignalRow,
  type WorkerRow,
} from '../memory/tables.js';
import type { LockTable } from '../memory/memory.lock.js';
import type { RunStep } from '../ports/storage.adapter.js';
import { type Change, type StoredTables, type TableName } from './change.js';
import { NotedMap } from './noted.map.js';
import { snapshotOf, type About } from './restoring.js';
import { flowStepKey, instanceKey, storedFlowHead, storedFlowStep } from './stored.flows.js';

/** Tables whose rows are addressed by their key in a map. */
type KeyedTable = Exclude<TableName, 'about' | 'flowSteps' | 'attempts' | 'gaps'>;

type RecordRow = LedgerRow | GapRow;

/**
 * Tables that know which rows were changed since they were last asked. Maps tell of keys; a row that is changed in place is handed out as a proxy that tells of its fields; what is within a field says so itself
 * (`note`). Rows are read when asked, not when changed, so what is changed often between two writes is written once.
 */
export class JournaledTables extends MemoryTables {
  private readonly changed = new Map<KeyedTable, Set<string>>([['flows', new Set()]]);
  private readonly changedSteps = new Set<FlowStepRow>();
  private readonly reshapedFlows = new Set<string>();
  /** The keys of the steps that are stored, by flow. */
  private readonly storedSteps = new Map<string, Set<string>>();
  private readonly changedRecord = {
    attempts: new Map<number, LedgerRow | null>(),
    gaps: new Map<number, GapRow | null>(),
  };
  /** Null: nothing is stored yet. */
  private told: About | null = null;

  override readonly jobsByUid = this.noted<JobRow>('jobs');
  override readonly runs = this.noted<RunRow>('runs');
  override readonly steps = this.noted<readonly RunStep[]>('steps');
  override readonly definitions = this.noted<readonly Definition[]>('definitions');
  override readonly binaries = this.noted<BinaryRow>('binaries');
  override readonly rollups = this.noted<RollupRow>('rollups');
  override readonly flows = new NotedMap<FlowRow>((runId) => this.reshaped(runId));
  override readonly signals = this.noted<readonly SignalRow[]>('signals');
  override readonly workers = this.noted<WorkerRow>('workers');
  override readonly pauses = this.noted<PauseRow>('pauses');
  override readonly releases = this.noted<Release[]>('releases');
  override readonly audit = this.noted<AuditRow>('audit');
  override readonly overdue = this.noted<OverdueRow>('overdue');
  override readonly bulkActions = this.noted<BulkActionRow>('bulkActions');
  override readonly runLogs = this.noted<RunLogRow>('runLogs');
  override readonly runProgress = this.noted<RunProgressRow>('runProgress');
  override readonly locks: LockTable = this.noted('locks');

  override own<T extends object>(table: OwnedTable, row: T): T {
    const tell = this.teller(table) as (row: T, field: string | symbol) => void;
    const own: T = new Proxy(row, {
      set: (target, field, value) => {
        (target as Record<string | symbol, unknown>)[field] = value;
        tell(own, field);
        return true;
      },
    });
    tell(own, '');
    return own;
  }

  override note(...[table, noted]: Noted): void {
    if (table === 'jobs') this.touch('jobs', noted.uid);
    else if (table === 'runs') this.touch('runs', noted.id);
    else if (table === 'flows') this.reshaped(noted.runId);
    else if (table === 'flowSteps') this.changedSteps.add(noted);
    else this.touch('releases', noted);
  }

  override append<T extends RecordRow>(rows: T[], row: T): void {
    if ((rows as RecordRow[]) === this.ledger) this.changedRecord.attempts.set(row.sequence, row as never);
    super.append(rows, row);
  }

  override splice(rows: LedgerRow[] | GapRow[], start: number, count: number): void {
    for (const row of rows.slice(start, start + count)) this.gone(rows, row);
    super.splice(rows, start, count);
  }

  override keep<T extends RecordRow>(rows: T[], isKept: (row: T) => boolean): number {
    return super.keep(rows, (row) => {
      const kept = isKept(row);
      if (!kept) this.gone(rows, row);
      return kept;
    });
  }

  get hasChanges(): boolean {
    const { attempts, gaps } = this.changedRecord;
    const sets = [...this.changed.values(), this.changedSteps, this.reshapedFlows, attempts, gaps];
    return sets.some(({ size }) => size > 0) || this.hasNews;
  }

  /** What was changed since the last time, as it is now. */
  takeChanges(): Change[] {
    const changes: Change[] = [];
    const add = (table: TableName, key: string | number, row: object | null): void =>
      void changes.push({ table, key, row });
    for (const [table, keys] of this.changed) {
      for (const key of keys) add(table, key, this.storedRow(table, key));
    }
    this.addFlows(add);
    for (const [key, row] of this.changedRecord.attempts) add('attempts', key, row);
    for (const [key, row] of this.changedRecord.gaps) add('gaps', key, row);
    if (this.hasNews) add('about', 'storage', this.about);
    this.forgetChanges();
    return changes;
  }

  /** All that there is. */
  *everything(): Iterable<Change> {
    yield { table: 'about', key: 'storage', row: this.about };
    const keyed = ['jobs', 'runs', 'steps', 'signals', 'definitions', 'binaries', 'flows'] as const;
    const others = [
      'workers',
      'pauses',
      'releases',
      'locks',
      'audit',
      'rollups',
      'runLogs',
      'runProgress',
      'overdue',
      'bulkActions',
    ] as const;
    for (const table of [...keyed, ...others]) {
      for (const key of this.mapOf(table).keys()) yield { table, key, row: this.storedRow(table, key) };
    }
    for (const flow of this.flows.values()) {
      for (const [key, step] of stepsOf(flow)) yield { table: 'flowSteps', key, row: storedFlowStep(step) };
    }
    for (const row of this.ledger) yield { table: 'attempts', key: row.sequence, row };
    for (const row of this.gaps) yield { table: 'gaps', key: row.sequence, row };
  }

  /** Puts in place of all that there is what is stored. Throws RangeError for what does not belong together. */
  replaceBy(stored: StoredTables): void {
    const snapshot = snapshotOf(stored);
    const maps = [this.jobs, this.jobsByUid, this.runs, this.steps, this.definitions, this.flows];
    for (const map of [
      ...maps,
      this.binaries,
      this.rollups,
      this.signals,
      this.workers,
      this.held,
      this.pauses,
      this.releases,
      this.locks,
      this.audit,
      this.runLogs,
      this.runProgress,
      this.overdue,
      this.bulkActions,
    ])
      map.clear();
    for (const list of [this.ended, this.born, this.ledger, this.gaps]) list.length = 0;
    this.waiting.clear();
    this.cursors.clear();
    this.continueFrom(snapshot.lastNumber);
    fill(this, snapshot);
    this.storedSteps.clear();
    for (const flow of this.flows.values()) this.storedSteps.set(flow.runId, new Set(stepsOf(flow).keys()));
    this.forgetChanges();
    if (stored.about.size === 0) this.told = null;
  }

  private noted<T>(table: KeyedTable): NotedMap<T> {
    this.changed.set(table, new Set());
    return new NotedMap<T>((key) => this.touch(table, key));
  }

  private touch(table: KeyedTable, key: string): void {
    this.changed.get(table)!.add(key);
  }

  private reshaped(runId: string): void {
    this.reshapedFlows.add(runId);
  }

  /** Others name it by the id of its run. */
  private renamed(flow: FlowRow): void {
    for (const { runId } of allSteps(flow)) if (runId !== null) this.touch('runs', runId);
    for (const other of this.flows.values()) {
      if (other.stepOf?.flow.runId === flow.runId) this.touch('flows', other.runId);
    }
  }

  private gone(rows: readonly RecordRow[], { sequence }: RecordRow): void {
    const record = rows === this.ledger ? this.changedRecord.attempts : this.changedRecord.gaps;
    record.set(sequence, null);
  }

  private teller(table: OwnedTable): (row: never, field: string | symbol) => void {
    switch (table) {
      case 'jobs':
        return ({ uid }: JobRow) => this.touch('jobs', uid);
      case 'runs':
      case 'workers':
        return ({ id }: RunRow | WorkerRow) => this.touch(table, id);
      case 'gaps':
        return (row: GapRow) => void this.changedRecord.gaps.set(row.sequence, row);
      case 'flows':
        return (flow: FlowRow, field) => {
          this.touch('flows', flow.runId);
          if (field === 'runId') this.renamed(flow);
        };
      case 'flowSteps':
        return (row: FlowStepRow) => void this.changedSteps.add(row);
    }
  }

  private get about(): About {
    const { lastNumber, zoneData, recordAsOf, rollupMark } = this;
    return { lastNumber, zoneData, recordAsOf, ...(rollupMark && { rollupMark }) };
  }

  private get hasNews(): boolean {
    const { told } = this;
    if (told === null || told.lastNumber !== this.lastNumber) return true;
    if (told.zoneData !== this.zoneData || told.recordAsOf !== this.recordAsOf) return true;
    return (told.rollupMark ?? null) !== this.rollupMark;
  }

  private forgetChanges(): void {
    for (const keys of this.changed.values()) keys.clear();
    this.changedSteps.clear();
    this.reshapedFlows.clear();
    this.changedRecord.attempts.clear();
    this.changedRecord.gaps.clear();
    this.told = this.about;
  }

  private mapOf(table: KeyedTable): ReadonlyMap<string, object> {
    return table === 'jobs' ? this.jobsByUid : this[table];
  }

  private storedRow(table: KeyedTable, key: string): object | null {
    const row = this.mapOf(table).get(key);
    if (row === undefined) return null;
    // Which runs it has is found by these.
    if (table === 'jobs') return { ...storedJob(row as JobRow), runs: [], deadLetters: [] };
    if (table === 'runs') return storedRun(row as RunRow);
    if (table === 'flows') return storedFlowHead(row as FlowRow);
    return row;
  }

  private addFlows(add: (table: TableName, key: string, row: object | null) => void): void {
    for (const runId of this.reshapedFlows) {
      const flow = this.flows.get(runId);
      add('flows', runId, flow ? storedFlowHead(flow) : null);
      const now = flow ? stepsOf(flow) : new Map<string, FlowStepRow>();
      for (const key of this.storedSteps.get(runId) ?? []) if (!now.has(key)) add('flowSteps', key, null);
      for (const [key, step] of now) add('flowSteps', key, storedFlowStep(step));
      if (flow) this.storedSteps.set(runId, new Set(now.keys()));
      else this.storedSteps.delete(runId);
    }
    for (const step of this.changedSteps) {
      const { runId } = step.flow;
      if (this.reshapedFlows.has(runId) || !isPartOf(this.flows.get(runId), step)) continue;
      const key = flowStepKey(step);
      add('flowSteps', key, storedFlowStep(step));
      const stored = this.storedSteps.get(runId)!;
      stored.add(key);
      if (step.nth !== null) continue;
      // Of instances that it has had; those that it has are changed by themselves.
      for (let nth = step.instances.length; stored.delete(instanceKey(key, nth)); nth++)
        add('flowSteps', instanceKey(key, nth), null);
    }
  }
}

function stepsOf(flow: FlowRow): Map<string, FlowStepRow> {
  const steps = new Map<string, FlowStepRow>();
  for (const step of allSteps(flow)) steps.set(flowStepKey(step), step);
  return steps;
}

function isPartOf(flow: FlowRow | undefined, step: FlowStepRow): boolean {
  const named = flow?.steps.get(step.definition.name);
  return (step.nth === null ? named : named?.instances[step.nth]) === step;
}
