import type { SyncRequest, WorkerRegistration } from '../../../lib/ports/storage.adapter.js';
import type { Scheduled } from './release.js';

/** A process that carried these declarations, by the clock of the storage: from its registration to the end of its lease. */
export interface Period {
  /** Of the process. */
  name: string;
  app: string;
  from: number;
  until: number;
  declared: readonly Scheduled[];
}

/** Who was there, and when: what leases say, seen from outside. */
export class Attendance {
  readonly periods: Period[] = [];
  private readonly declared = new Map<string, readonly Scheduled[]>();
  private readonly byWorker = new Map<string, Period>();

  /** What the processes declare whose instance has this name. */
  expect(name: string, declared: readonly Scheduled[]): void {
    this.declared.set(name, declared);
  }

  /** A call has been carried out. */
  note(method: string, args: readonly unknown[], answer: unknown, now: number): void {
    switch (method) {
      case 'register':
        return this.begin(args[0] as WorkerRegistration, now, args[1] as number);
      case 'syncDefinitions': {
        const { registration } = args[0] as SyncRequest;
        const { status } = answer as { status: string };
        if (registration && status === 'synced') this.begin(registration.worker, now, registration.leaseMs);
        return;
      }
      case 'renew':
      case 'unregister': {
        const period = this.byWorker.get(args[0] as string);
        if (period === undefined) return;
        const until = method === 'unregister' ? now : (answer as { leaseUntil: number | null }).leaseUntil;
        // A lease that has ended is not revived.
        if (until !== null) period.until = method === 'unregister' ? Math.min(period.until, until) : until;
      }
    }
  }

  private begin({ id, name, app }: WorkerRegistration, from: number, leaseMs: number): void {
    const period = { name, app, from, until: from + leaseMs, declared: this.declared.get(name) ?? [] };
    this.byWorker.set(id, period);
    this.periods.push(period);
  }
}
