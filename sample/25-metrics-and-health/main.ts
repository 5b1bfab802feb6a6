// An application with metrics for Prometheus and answers for probes: prints one scrape and the three answers, and ends.
import 'reflect-metadata';
import { Injectable, Module, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, Interval, JobHandler, SchedulerService } from 'nestjs-chronis';
import { ChronisHealthModule } from 'nestjs-chronis/health';
import { ChronisMetrics, ChronisMetricsModule } from 'nestjs-chronis/metrics';

@Injectable()
class Reports {
  @Interval('1s', { id: 'tick' })
  tick(): void {}

  @JobHandler('report')
  report(): void {
    throw new Error('The printer is out of paper.');
  }
}

/** Whoever has the token sees the details of the health; the status is for all. */
class OperatorGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers.authorization === 'Bearer operator';
  }
}

@Module({
  imports: [
    ChronisMetricsModule.forRoot({ path: 'metrics' }),
    ChronisHealthModule.forRoot({ path: 'health', guards: [OperatorGuard] }),
    ChronisModule.forRoot({ log: false }),
  ],
  providers: [Reports],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();

const scheduler = app.get(SchedulerService);
await scheduler.schedule('report', { in: 0, id: 'quarterly' });
const { id } = await scheduler.runNow('tick');
await scheduler.waitForRun(id);
// Prometheus scrapes again and again; who reads once has what is of all processes read first.
await app.get(ChronisMetrics, { strict: false }).refresh();

const scrape = await (await fetch(`${url}/metrics`)).text();
console.log(scrape);

for (const path of ['health/live', 'health/ready', 'health']) {
  const answer = await fetch(`${url}/${path}`);
  console.log(`GET /${path}: ${answer.status} ${await answer.text()}`);
}
const details = await fetch(`${url}/health`, { headers: { authorization: 'Bearer operator' } });
console.log(`GET /health, for an operator: ${await details.text()}`);
await app.close();
