import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, SchedulerService } from 'nestjs-chronis';
import { printRuns } from '../support/journal.js';
import { provideDatabase } from '../support/database.js';
import { untilStopped } from '../support/until-stopped.js';
import { AppModule } from './app.module.js';

const database = await provideDatabase();
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['log', 'warn', 'error'] });
printRuns(app.get(ChronisEvents));
console.log(
  '\nEach line is a run: its job, when it was due (UTC), how long after that it began, how long it took.\n',
);

// A job created at run time; its id is taken once, so a second one would take its place instead of reminding twice.
await app.get(SchedulerService).createDateJob({
  id: 'remind-ada',
  onConflict: 'replace',
  handler: 'send-reminder',
  in: '3s',
  payload: { to: 'ada@example.com', text: 'Pick the tomatoes' },
});

await untilStopped();
console.log('\nStopping: running handlers may finish first.');
await app.close();
await database.stop();
