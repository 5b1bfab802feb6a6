// An application as operators have it: a REST API, metrics, probes and traces. Prints one answer of each, and ends.
import 'reflect-metadata';
import { Controller, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { ChronisModule, JobHandler, SchedulerService, type RunContext } from 'nestjs-chronis';
import { ChronisHealthModule } from 'nestjs-chronis/health';
import { ChronisHttpModule } from 'nestjs-chronis/http';
import { ChronisMetricsModule } from 'nestjs-chronis/metrics';
import { ChronisTracingModule } from 'nestjs-chronis/tracing';

// The SDK is the application's. One for production sends its spans to a collector, and is registered before all else is imported.
const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

@Injectable()
class Orders {
  private declined = false;

  @JobHandler('charge')
  async charge(run: RunContext): Promise<void> {
    await run.step('reserve', () => 'reserved');
    this.declined = !this.declined;
    if (this.declined) throw new TypeError('The card was declined.');
  }
}

@Controller('orders')
class OrdersController {
  constructor(private readonly scheduler: SchedulerService) {}

  /** As an instrumentation of HTTP has it, each request is a span. */
  @Post()
  create(): Promise<{ id: string }> {
    return trace.getTracer('shop').startActiveSpan('POST /orders', async (span) => {
      const { id } = await this.scheduler.schedule('charge', {
        in: 0,
        maxRetries: 1,
        backoff: { type: 'fixed', delay: '100ms' },
        keep: '1h',
      });
      span.end();
      return { id };
    });
  }
}

@Module({
  imports: [
    ChronisHttpModule.forRoot({ path: 'chronis', access: () => 'read' }),
    ChronisMetricsModule.forRoot({ path: 'metrics' }),
    ChronisHealthModule.forRoot({ path: 'health' }),
    ChronisTracingModule.forRoot(),
    ChronisModule.forRoot({ log: false }),
  ],
  controllers: [OrdersController],
  providers: [Orders],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();

const created = await fetch(`${url}/orders`, { method: 'POST' });
const { id } = (await created.json()) as { id: string };
const scheduler = app.get(SchedulerService);
const [run] = (await scheduler.getRuns({ jobId: id })).items;
await scheduler.waitForRun(run!.id);

console.log(`GET /chronis/jobs/${id}:`);
console.log(await (await fetch(`${url}/chronis/jobs/${id}`)).text());

console.log('GET /metrics, of the attempts:');
const scrape = await (await fetch(`${url}/metrics`)).text();
for (const line of scrape.split('\n')) if (/^chronis_attempts_total.*[1-9]$/.test(line)) console.log(line);

for (const path of ['health/live', 'health/ready', 'health']) {
  const answer = await fetch(`${url}/${path}`);
  console.log(`GET /${path}: ${answer.status} ${await answer.text()}`);
}

console.log('Spans, each with its trace and what it is linked to:');
const spans = exporter.getFinishedSpans();
const nameOf = (spanId: string): string =>
  spans.find((span) => span.spanContext().spanId === spanId)?.name ?? spanId;
for (const span of spans) {
  const to = span.links.map(
    ({ context: link, attributes: about }) =>
      `${String(about?.['messaging.chronis.link'])}: ${nameOf(link.spanId)}`,
  );
  const traceId = span.spanContext().traceId.slice(0, 8);
  const verdict = span.attributes['messaging.chronis.verdict'];
  console.log([traceId, span.name, ...(verdict === undefined ? [] : [String(verdict)]), ...to].join('  '));
}
await app.close();
