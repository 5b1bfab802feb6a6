import { Inject, Injectable, Scope } from '@nestjs/common';
import { ContextIdFactory, REQUEST, type ContextId, type ContextIdStrategy } from '@nestjs/core';
import { afterEach, expect, test } from 'vitest';
import { InjectRunContext, JobHandler, OnJobEvent, type RunContext } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';

/** One sub-tree for each tenant: that of a run is its namespace. */
class ByTenant implements ContextIdStrategy {
  private readonly tenants = new Map<string, ContextId>();

  attach(contextId: ContextId, request: object) {
    const tenant = 'job' in request ? (request as RunContext).job.namespace : 'none';
    const known = this.tenants.get(tenant) ?? ContextIdFactory.create();
    this.tenants.set(tenant, known);
    return {
      resolve: ({ isTreeDurable }: { isTreeDurable: boolean }) => (isTreeDurable ? known : contextId),
      payload: { tenant },
    };
  }
}

let made: string[] = [];
const said: string[] = [];
let chronis: ChronisTesting | null = null;
afterEach(async () => {
  ContextIdFactory.apply(undefined as never);
  await chronis?.close();
  chronis = null;
  made = [];
});

@Injectable({ scope: Scope.REQUEST, durable: true })
class Connection {
  readonly tenant: string;
  constructor(@Inject(REQUEST) request: { tenant: string }) {
    this.tenant = request.tenant;
    made.push(`connection of ${request.tenant}`);
  }
}

@Injectable({ scope: Scope.REQUEST, durable: true })
class Invoices {
  constructor(@Inject(Connection) private readonly connection: Connection) {
    made.push(`invoices of ${connection.tenant}`);
  }
  @JobHandler('bill')
  bill({ job }: RunContext): void {
    said.push(`${job.namespace} by ${this.connection.tenant}`);
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRun {
  constructor(
    @Inject(REQUEST) private readonly request: RunContext,
    @InjectRunContext() private readonly context: RunContext,
    @Inject(Connection) private readonly connection: Connection,
  ) {
    made.push(`per run ${request.job.id}`);
  }
  @JobHandler('per-run')
  run(context: RunContext): void {
    const isOwn = context === this.context && this.request.runId === context.runId;
    said.push(isOwn ? this.connection.tenant : 'another run');
  }
}

async function results(handler: string, tenants: string[]): Promise<unknown[]> {
  chronis = await ChronisTesting.create({ providers: [Connection, Invoices, PerRun] });
  const found: unknown[] = [];
  for (const [i, namespace] of tenants.entries()) {
    await chronis.scheduler.createDateJob({ id: `${i}`, namespace, handler, in: 0 });
    const [execution] = await chronis.runDue();
    found.push(execution?.outcome === 'succeeded' ? said.pop() : String(execution?.error));
  }
  return found;
}

test('a durable provider is made once for each tenant of the strategy, and runs find their own', async () => {
  ContextIdFactory.apply(new ByTenant());
  expect(await results('bill', ['a', 'b', 'a', 'b', 'a'])).toEqual([
    'a by a',
    'b by b',
    'a by a',
    'b by b',
    'a by a',
  ]);
  expect(made).toEqual(['connection of a', 'invoices of a', 'connection of b', 'invoices of b']);
});

test('what is made for each run has the durable ones of its tenant, and what its request is', async () => {
  ContextIdFactory.apply(new ByTenant());
  expect(await results('per-run', ['a', 'a'])).toEqual(['a', 'a']);
  expect(made.filter((line) => line.startsWith('per run'))).toEqual(['per run 0', 'per run 1']);
  expect(made.filter((line) => line.startsWith('connection'))).toHaveLength(1);
});

test('a strategy that knows nothing but HTTP fails the run with a word about what it gets', async () => {
  ContextIdFactory.apply({
    attach: (_contextId, request: { headers: Record<string, string> }) => {
      const tenant = request.headers['x-tenant-id'];
      throw new Error(`unreachable ${tenant}`);
    },
  });
  const [error] = await results('bill', ['a']);
  expect(error).toMatch(
    /ContextIdFactory\.apply\(\): the strategy threw for a run: Cannot read properties of undefined .*What it gets then is the RunContext/,
  );
});

test('listeners are made by the strategy as well, with the event', async () => {
  const asked: object[] = [];
  ContextIdFactory.apply({
    attach: (contextId, request: object) => {
      asked.push(request);
      return () => contextId;
    },
  });
  const heard: string[] = [];
  @Injectable({ scope: Scope.REQUEST })
  class Listener {
    @OnJobEvent('succeeded')
    hear({ handler }: { handler: string }): void {
      heard.push(handler);
    }
  }
  chronis = await ChronisTesting.create({ providers: [Listener] });
  chronis.scheduler.registerHandler('plain', () => undefined);
  await chronis.scheduler.createDateJob({ handler: 'plain', in: 0 });
  await chronis.runDue();
  expect(heard).toEqual(['plain']);
  expect(asked).toMatchObject([{ handler: 'plain' }]);
});
