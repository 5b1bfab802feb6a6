import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule } from 'nestjs-chronis';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { OrderService } from './order.service.js';
import { Shop } from './shop.js';

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: process.env.DATABASE_URL!, schema: 'durable_sample' }),
      app: 'durable-sample',
      leaseMs: '1s',
      log: false,
    }),
  ],
  providers: [OrderService, Shop],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
// Ctrl-C reaches the whole group; the parent decides when to stop.
process.on('SIGINT', () => undefined);
process.send?.('ready');
