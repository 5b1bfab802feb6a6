import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, SchedulerService } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { provideDatabase } from '../support/database.js';
import { Bank } from './bank.js';
import { OrderService } from './order.service.js';
import { WebhookController } from './webhook.controller.js';

const database = await provideDatabase();

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: database.url, schema: 'open_sample' }),
      log: false,
    }),
  ],
  providers: [Bank, OrderService],
  controllers: [WebhookController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0);
app.get(Bank).webhook = `${(await app.getUrl()).replace('[::1]', 'localhost')}/webhooks/bank`;
const scheduler = app.get(SchedulerService);

for (const amount of [20, 200, 2_000]) {
  const { id } = await scheduler.schedule('transfer', {
    ...{ in: '0s', payload: { amount }, keep: '1m' },
    ...{ maxRetries: amount < 1_000 ? 1 : 0, backoff: '200ms' },
  });
  const [run] = (await scheduler.getRuns({ jobId: id })).items;
  const { verdict, result, attempts } = await scheduler.waitForRun(run!.id);
  console.log(`  transfer of ${amount}: ${verdict} ${JSON.stringify(result)}`);
  for (const { attempt, outcome, worker } of attempts)
    console.log(`    attempt ${attempt}: ${outcome}${worker === 'outside' ? ', from outside' : ''}`);
}

// The second notice of the second transfer is under way.
await new Promise((resolve) => setTimeout(resolve, 500));
await app.close();
await database.stop();
