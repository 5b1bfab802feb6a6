import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents } from 'nestjs-chronis';
import { DataSource } from 'typeorm';
import { provideDatabase } from '../support/database.js';
import { printRuns } from '../support/journal.js';
import { AppModule } from './app.module.js';
import { Reminder } from './reminder.entity.js';
import { ReminderService } from './reminder.service.js';

const database = await provideDatabase();
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const events = app.get(ChronisEvents);
const reminders = app.get(ReminderService);
printRuns(events);

const asked = new Set<string>();
const allAsked = new Promise<void>((resolve) =>
  events.on('run.succeeded', ({ jobId }) => {
    if (jobId.startsWith('ask-') && asked.add(jobId).size === 3) resolve();
  }),
);

async function show(what: string): Promise<void> {
  const { reminders: rows, jobs } = await reminders.stored();
  console.log(`${what.padEnd(58)} reminders: ${rows}, jobs: ${jobs}`);
}
await app.get(DataSource).manager.clear(Reminder);

await show('At first');
await reminders.remind('Water the tomatoes', '2s');
await show('One transaction with a row and its job');
await reminders
  .remindOfAll(['Call Bob', ''], '2s')
  .catch((error: Error) => console.log(`  ${error.message}`));
await show('One that is rolled back after two rows and two jobs');
await reminders.remindOfAll(['Call Bob', 'Buy bread'], '2s');
await show('The same, and committed');
console.log();

await allAsked;
console.log('\nThe rows, each written in the transaction of its run:');
console.table(await app.get(DataSource).manager.find(Reminder, { order: { id: 'asc' } }));
await app.close();
await database.stop();
