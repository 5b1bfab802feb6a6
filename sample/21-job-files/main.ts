// Jobs in files, without a line of code for them: the three files of jobs.d, whose commands are run by the executor of the package.
import 'reflect-metadata';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, ChronisModule, SchedulerService } from 'nestjs-chronis';
import { ChronisExecutorsModule } from 'nestjs-chronis/executors';
import { ChronisJobFiles, ChronisJobFilesModule } from 'nestjs-chronis/job-files';

// The three files of the folder, in one that may be changed.
const examples = fileURLToPath(new URL('../../sample/21-job-files/jobs.d', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'jobs.d-'));
cpSync(examples, directory, { recursive: true });

@Module({
  imports: [
    ChronisExecutorsModule.forRoot({ command: { allow: ['/bin/echo', '/usr/bin/python'] } }),
    ChronisJobFilesModule.forRoot({ directory }),
    ChronisModule.forRoot({ log: false }),
  ],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const scheduler = app.get(SchedulerService);
const events = app.get(ChronisEvents);
const files = app.get(ChronisJobFiles);

async function show(): Promise<void> {
  const { items } = await scheduler.queryJobs();
  for (const { id, state, trigger, nextRunAt } of items)
    console.log(
      `  ${id.padEnd(16)} ${trigger.type.padEnd(9)} ${state.padEnd(10)} ${nextRunAt?.toISOString() ?? ''}`,
    );
  for (const { file, error } of files.status().files)
    if (error !== null) console.log(`  ${file}:${error.line}:${error.column} ${error.message}`);
}

/** The last attempt of a job, once it has one. */
async function ended(jobId: string): Promise<string> {
  for (;;) {
    const [attempt] = (await scheduler.getAttempts({ jobId, finalOnly: true })).items;
    if (attempt !== undefined)
      return `${attempt.outcome}: ${attempt.error?.split('\n', 1)[0] ?? JSON.stringify(attempt.result)}`;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

console.log('The files are there at the start; what was due once, in the past, runs at once.');
console.log('Where this machine has not what the example names, its run says so:');
console.log(`  onetime-cleanup  ${await ended('onetime-cleanup')}`);
await show();

console.log('A file is broken: what it said before stays in force.');
const broken = events.once('files.broken');
writeFileSync(join(directory, 'frequent-task.json'), '{ "job_id": "frequent-task", "schedule": }');
await broken;
await show();

console.log('It is mended, and one more job comes:');
const synced = events.once('jobs.synced', ({ created }) => created.length > 0);
writeFileSync(
  join(directory, 'frequent-task.json'),
  '[{ "id": "frequent-task", "every": "1s", "task": { "type": "execute_command", "command": "/bin/echo every second" } },' +
    ' { "id": "another", "schedule": "@hourly", "task": { "type": "execute_command", "command": "/bin/echo hourly" } }]',
);
await synced;
await events.once('run.succeeded', ({ jobId }) => jobId === 'frequent-task');
console.log(`  frequent-task    ${await ended('frequent-task')}`);
await show();

await app.close();
rmSync(directory, { recursive: true });
