import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule, type ScheduleModuleOptions } from 'nestjs-chronis/schedule';
import { typeOrmStorage } from 'nestjs-chronis/typeorm';
import { ClockworkService } from './clockwork.service.js';

/** The one option. */
const distributed: ScheduleModuleOptions = {
  distributed: { storage: typeOrmStorage({ url: process.env.DATABASE_URL!, schema: 'schedule_sample' }) },
};

@Module({
  imports: [ScheduleModule.forRoot(process.env.DISTRIBUTED ? distributed : {})],
  providers: [ClockworkService],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule, { logger: ['error', 'warn'] });
process.send?.('ready');
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
// Ctrl-C reaches the whole group; the parent decides when to stop.
process.on('SIGINT', () => undefined);
