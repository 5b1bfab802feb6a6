import { createHash } from 'node:crypto';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { chronis, document, inFolder } from './cli.call.js';
import { RunningService } from './running.service.js';

beforeAll(() => void compiledTests(), 120_000);

const script = '#!/bin/sh\necho "brought along: $1 in ${0%/*/*}"\n';
const sha256 = createHash('sha256').update(script).digest('hex');

/** A folder with a folder of jobs, a program, and variables for a service. */
async function withProgram(
  work: (given: {
    program: string;
    args: string[];
    env: Record<string, string>;
    addJob: () => void;
    folder: string;
  }) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'jobs.d'));
    const program = join(folder, 'program');
    writeFileSync(program, script);
    const job = {
      job_id: 'brought',
      schedule: '2025-09-20T02:00:00Z',
      task: { type: 'binary', sha256, args: ['ada'] },
    };
    await work({
      program,
      folder,
      args: ['--jobs-dir', join(folder, 'jobs.d')],
      env: { XDG_STATE_HOME: join(folder, 'state') },
      addJob: () => writeFileSync(join(folder, 'jobs.d/brought.json'), JSON.stringify(job)),
    });
  });
}

test('a program that was stored runs as a job of a file, where that is asked for', async () => {
  await withProgram(async ({ program, args, env, addJob, folder }) => {
    mkdirSync(join(folder, 'private'));
    await using service = RunningService.start(args, {
      ...env,
      CHRONIS_BINARY: 'true',
      CHRONIS_BINARY_FOLDER: join(folder, 'private'),
    });
    await service.says('Commands are answered');
    const stored = await document(['binaries', 'store', program], { env });
    expect(stored).toMatchObject({ binary: { sha256, size: script.length } });
    expect((await chronis(['binaries', 'store', program], { env })).stdout).toBe(`${sha256}\n`);
    addJob();
    await service.says(/job_id=brought .*status=SUCCESS/);
    const run = /job_id=brought .*run_id=(\d+)/.exec(service.stdout)![1]!;
    const { attempts } = await document(['runs', 'show', run], { env });
    expect(attempts[0].result.stdout).toContain(`brought along: ada in ${join(folder, 'private')}`);
  });
});

test('a job of a file whose program is stored afterwards runs by and by', async () => {
  await withProgram(async ({ program, args, env, addJob }) => {
    addJob();
    await using service = RunningService.start([...args, '--binary'], env);
    await service.says(/brought\.json:\d+:\d+ is not followed: .*chronis binaries store/);
    await service.says('Commands are answered');
    expect((await chronis(['binaries', 'store', program], { env })).code).toBe(0);
    await service.says(/job_id=brought .*status=SUCCESS/);
    expect(service.stderr.split('is not followed')).toHaveLength(2);
  });
});

test('without being asked for, a task cannot bring a program along', async () => {
  await withProgram(async ({ args, env, addJob }) => {
    addJob();
    await using service = RunningService.start(args, env);
    await service.says(/No executor takes tasks of the type "binary"/);
    expect(service.stdout).toBe('');
  });
});

test('on PostgreSQL it is stored without a service, which warns of what it may then be made to run', async () => {
  await withProgram(async ({ program, args, addJob }) => {
    const env = { CHRONIS_STORAGE: databaseUrl(), CHRONIS_SCHEMA: freshSchema('cli') };
    expect((await chronis(['migrate'], { env })).code).toBe(0);
    expect((await chronis(['binaries', 'store', program], { env })).stdout).toBe(`${sha256}\n`);
    addJob();
    await using service = RunningService.start([...args, '--binary', '--allow', '/bin/true'], env);
    await service.says(/job_id=brought .*status=SUCCESS/);
    expect(service.stderr).toContain(
      'WARNING --binary lets whoever may write to the folder, or to this database',
    );
  });
});

test('what is no program, or is too long, is refused', async () => {
  await inFolder(async (folder) => {
    const env = { CHRONIS_STORAGE: `file:${join(folder, 'jobs.yaml')}` };
    expect(
      (
        await chronis(
          [
            'jobs',
            'create',
            '--id',
            'a',
            '--task',
            '{"type":"cmd","command":"a"}',
            '--cron',
            '* * * * *',
            '--allow-unknown-handler',
          ],
          { env },
        )
      ).code,
    ).toBe(0);
    const refused = async (path: string, sentence: string): Promise<void> => {
      const { code, stderr } = await chronis(['binaries', 'store', path], { env });
      expect(stderr).toContain(sentence);
      expect(code).toBe(64);
    };
    await refused(join(folder, 'none'), 'cannot be read');
    await refused(folder, 'is no file');
    writeFileSync(join(folder, 'empty'), '');
    await refused(join(folder, 'empty'), 'is empty');
    writeFileSync(join(folder, 'long'), 'a');
    truncateSync(join(folder, 'long'), 16 * 1_048_576 + 1);
    await refused(join(folder, 'long'), 'has 16777217 bytes, but a program may have 16777216');
  });
});
