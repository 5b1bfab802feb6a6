import type { CanActivate, INestApplication } from '@nestjs/common';
import type { DataSource, EntityManager } from 'typeorm';
import type {
  ChronisEvents,
  DefinitionService,
  RunContext,
  SchedulerService,
  SqlExecutor,
  StorageAdapter,
  TransactionBegin,
  WorkflowService,
  workflow,
} from '../../lib/index.js';

// What snippets without imports may use: all that the package exports, and what the text around them has introduced.
export * from '../../lib/index.js';

export declare const scheduler: SchedulerService;
export declare const workflows: WorkflowService;
export declare const orderFlow: ReturnType<typeof workflow>;
export declare const events: ChronisEvents;
export declare const definitions: DefinitionService;
export declare const storage: StorageAdapter;
export declare const dataSource: DataSource;
export declare const manager: EntityManager;
export declare const prisma: Prisma;
export declare const executorOf: (tx: unknown) => SqlExecutor;
export declare const inPrisma: (prisma: Prisma) => TransactionBegin<PrismaTransaction>;
export declare const context: RunContext;
export declare const text: string;
export declare const at: Date;
export declare const app: INestApplication;
export declare const guard: CanActivate;
export declare const runId: string;
export declare const requestId: string;
export declare const user: { email: string };
export declare const from: Date;
export declare const until: Date;
export declare const order: { id: string };
export declare const orders: { place(order: { id: string }): Promise<void> };

interface PrismaModel {
  create(options: { data: object }): Promise<{ id: number }>;
}
interface PrismaTransaction {
  reminder: PrismaModel;
  closing: PrismaModel;
}
interface Prisma {
  $transaction<T>(work: (tx: PrismaTransaction) => Promise<T>): Promise<T>;
}

export class DailyClosing {
  day: Date;
  totals: number;
}
export class MonthlyClosing {
  month: Date;
}
export class InvoiceRejected extends Error {}
export class RateLimited extends Error {
  retryAfterMs: number;
}

/** The class that methods without one are in. */
export abstract class Surroundings {
  protected readonly scheduler: SchedulerService;
  protected readonly dataSource: DataSource;
  protected readonly orders: { sync(options: { signal: AbortSignal; attempt: number }): Promise<void> };
  protected readonly mail: { send(order: string): Promise<void> };
  protected abstract collect(signal: AbortSignal): Promise<number>;
}
