import { NestFactory } from '@nestjs/core';
import { WorkerModule } from './worker.module.js';

const app = await NestFactory.create(WorkerModule);
app.enableShutdownHooks();
// For the probes only.
await app.listen(process.env.PORT ?? 3000);
process.send?.(await app.getUrl());
