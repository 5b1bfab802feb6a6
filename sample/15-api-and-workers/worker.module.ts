import { Module } from '@nestjs/common';
import { chronisFor } from './chronis.js';
import { HealthController } from './health.controller.js';
import { JobsModule } from './shop.jobs.js';

@Module({ imports: [JobsModule, chronisFor('worker')], controllers: [HealthController] })
export class WorkerModule {}
