import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { chronis, document, inFolder } from './cli.call.js';
import { RunningService } from './running.service.js';

beforeAll(() => void compiledTests(), 120_000);

const examples = new URL('../../sample/24-ready-service/jobs.d', import.meta.url);

/** A folder with a folder of jobs, each as a file of its name, and the state folder in it. */
async function withJobs(
  jobs: Readonly<Record<string, object>>,
  work: (folder: string, args: string[], env: { XDG_STATE_HOME: string }) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'jobs.d'));
    for (const [id, job] of Object.entries(jobs))
      writeFileSync(join(folder, 'jobs.d', `${id}.json`), JSON.stringify({ job_id: id, ...job }));
    await work(folder, ['--jobs-dir', join(folder, 'jobs.d')], { XDG_STATE_HOME: join(folder, 'state') });
  });
}

const echo = (text: string): object => ({ type: 'execute_command', command: `/bin/echo ${text}` });
const once = '2025-09-20T02:00:00Z';

test('the examples of the document run in an empty folder, without a server, and SIGTERM ends it with 0', async () => {
  await withJobs({}, async (folder, args, env) => {
    cpSync(examples, join(folder, 'jobs.d'), { recursive: true });
    await using service = RunningService.start([...args, '--log-level', 'INFO'], env);
    await service.says('job_id=onetime-cleanup');
    const { jobs } = await document(['jobs'], { env });
    expect(jobs.map((job: { id: string }) => job.id)).toEqual([
      'daily-report',
      'frequent-task',
      'onetime-cleanup',
    ]);
    const ran = await document(['jobs', 'run', 'frequent-task', '--wait', '--timeout', '30s'], { env });
    expect(ran.outcome).toMatchObject({ verdict: 'succeeded', result: { exitCode: 0 } });
    expect(await service.end('SIGTERM')).toBe(0);
    expect(service.stdout).toMatch(
      /^job_id=onetime-cleanup time=\d{4}-\d\d-\d\dT[\d:.]+Z status=SUCCESS run_id=\d+ attempt=1 duration_ms=\d+$/m,
    );
    expect(service.stdout).toMatch(/^job_id=frequent-task .* status=SUCCESS/m);
    for (const line of service.stdout.trim().split('\n')) expect(line).toMatch(/^job_id=/);
    for (const line of service.stderr.trim().split('\n')) expect(line).toMatch(/^\S+Z (INFO|WARNING|ERROR) /);
    expect(service.stderr).toContain(`${folder}/state/chronis/jobs.`);
    expect(statSync(join(folder, 'state/chronis')).mode & 0o777).toBe(0o700);
  });
});

test('what runs comes to its end when the service is told to end', async () => {
  await withJobs({}, async (folder, args, env) => {
    const script = join(folder, 'slow');
    // Until the file is there.
    writeFileSync(script, `#!/bin/sh\necho > ${folder}/begun\nwhile ! [ -e ${folder}/go ]; do :; done\n`);
    chmodSync(script, 0o755);
    writeFileSync(
      join(folder, 'jobs.d/slow.yaml'),
      `{ id: slow, schedule: "${once}", task: { type: cmd, command: ${script} } }`,
    );
    const begun = seen(folder, 'begun');
    await using service = RunningService.start(args, env);
    await begun;
    service.child.kill('SIGINT');
    await service.says('Stopping');
    writeFileSync(join(folder, 'go'), '');
    expect(await service.end()).toBe(130);
    expect(service.stdout).toContain('job_id=slow');
    expect(service.stdout).toContain('status=SUCCESS');
  });
});

test('a second service on the same storage is refused, and names the first', async () => {
  await withJobs({ a: { schedule: once, task: echo('a') } }, async (_, args, env) => {
    await using service = RunningService.start(args, env);
    await service.says('status=SUCCESS');
    await using second = RunningService.start(args, env);
    expect(await second.end()).toBe(1);
    expect(second.stderr).toContain(`is in use by the process ${service.child.pid}`);
    expect(second.stderr.split('is in use by')).toHaveLength(2);
  });
});

test('commands ask the service that has the storage, and its socket goes with it', async () => {
  await withJobs({ daily: { schedule: '0 1 * * *', task: echo('a') } }, async (folder, args, env) => {
    await using service = RunningService.start(args, env);
    await service.says('Commands are answered');
    expect(await document(['health'], { env })).toMatchObject({ healthy: true, workers: [{ running: 0 }] });
    expect((await chronis(['health', '--here'], { env })).stdout).toBe('healthy\t1 running\n');
    const pause = ['jobs', 'pause', 'daily', '--reason', 'holidays'];
    expect((await chronis(pause, { env })).stdout).toBe('daily\tpaused\n');
    const { job } = await document(['jobs', 'show', 'daily'], { env });
    expect(job).toMatchObject({ state: 'paused', paused: { reason: 'holidays' } });
    const missing = await document(['jobs', 'pause', 'dail'], { env });
    expect(missing.error).toMatchObject({
      code: 'CHRONIS_JOB_NOT_FOUND',
      message: expect.stringContaining('"daily"'),
    });
    const wrong = await chronis(['jobs', '--state', 'pusaed'], { env });
    expect(wrong.code).toBe(64);
    const socket = socketIn(folder);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect((await document(['workers', '--socket', socket])).workers).toHaveLength(1);
    expect(await service.end('SIGTERM')).toBe(0);
    expect(existsSync(socket)).toBe(false);
    const gone = await chronis(['health', '--socket', socket]);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain(`No service answers at ${socket}.`);
    expect((await chronis(['health'], { env })).code).toBe(2);
  });
});

test('a service that hangs is not waited for', async () => {
  await withJobs({}, async (folder, args, env) => {
    await using service = RunningService.start(args, env);
    await service.says('Commands are answered');
    expect(await document(['health', '--live'], { env })).toEqual({ live: true, state: 'working' });
    expect(await document(['health', '--ready'], { env })).toEqual({
      ready: true,
      state: 'working',
      answers: true,
    });
    service.child.kill('SIGSTOP');
    const { code, stderr } = await chronis(['health', '--live', '--timeout', '1'], { env });
    expect(code).toBe(1);
    expect(stderr).toBe('chronis: Nothing has answered within 1 s.\n');
    service.child.kill('SIGCONT');
    expect(await service.end('SIGTERM')).toBe(0);
    // A supervisor takes 64 for a wrong call, and does not start it again.
    for (const question of ['--live', '--ready']) {
      const gone = await chronis(['health', question, '--storage', `file:${stateIn(folder)}`]);
      expect(gone.code).toBe(1);
      expect(gone.stderr).toContain(`No service answers that has ${stateIn(folder)}.`);
    }
    const server = { DATABASE_URL: databaseUrl() };
    const other = await chronis(['health', '--live'], { env: server });
    expect(other.code).toBe(64);
    expect(other.stderr).toContain('Only a running service can answer that: give its --socket');
  });
});

test('what a service that was killed has left does not keep the next one from starting', async () => {
  await withJobs({ daily: { schedule: '0 1 * * *', task: echo('a') } }, async (folder, args, env) => {
    await using first = RunningService.start(args, env);
    await first.says('Commands are answered');
    await document(['jobs', 'pause', 'daily'], { env });
    expect(await first.end('SIGKILL')).toBe('SIGKILL');
    expect(existsSync(socketIn(folder))).toBe(true);
    // Nobody is there to be asked: the file is read.
    expect((await document(['jobs'], { env })).jobs).toMatchObject([{ id: 'daily', state: 'paused' }]);
    await using second = RunningService.start(args, env);
    await second.says('Commands are answered');
    expect((await document(['jobs'], { env })).jobs).toMatchObject([{ id: 'daily', state: 'paused' }]);
  });
});

test('programs that are not allowed do not run, and it is told why', async () => {
  await withJobs({ a: { schedule: once, task: echo('a') } }, async (_, args, env) => {
    await using service = RunningService.start([...args, '--allow', '/opt/jobs/*,/usr/bin/true'], env);
    await service.says('is none of those that "allow" of the command executor names');
    await service.says('Running jobs');
    expect(service.stdout).toBe('');
    expect(await service.end('SIGTERM')).toBe(0);
  });
});

test('what a failed command wrote is shown with its run', async () => {
  const script = 'echo why-it-failed >&2; printf "\\033[2Jand more" >&2; exit 3';
  const jobs = { bad: { schedule: once, task: { type: 'cmd', command: script, shell: true } } };
  await withJobs(jobs, async (_, args, env) => {
    await using service = RunningService.start([...args, '--shell'], env);
    await service.says(/job_id=bad .*status=FAILURE/);
    const run = /run_id=(\d+)/.exec(service.stdout)![1]!;
    for (const terminal of [undefined, 80]) {
      const { stdout } = await chronis(['runs', 'show', run], { env, ...(terminal && { terminal }) });
      expect(stdout).toMatch(/\/bin\/sh ended with exit code 3\.\n  why-it-failed\n  .\[2Jand more\n/);
      expect(stdout).not.toContain('\u001b[2J');
    }
  });
});

test('what is amiss is told with the flags that mend it', async () => {
  const jobs = {
    a: { schedule: once, task: { type: 'http', url: 'http://a.test/' } },
    b: { schedule: once, task: { type: 'emit', client: 'x', pattern: 'y' } },
    c: { schedule: once, handler: 'report' },
  };
  await withJobs(jobs, async (_, args, env) => {
    await using service = RunningService.start(args, env);
    await service.says('with --http-hosts, which names the hosts that may be called');
    await service.says('with --emit, which names brokers');
    await service.says('The service has no handlers: give the job a "task".');
    await service.says('Commands are answered at');
    expect(service.stderr).not.toMatch(/@TaskExecutor|@JobHandler|allowUnknownHandler/);
    const options = ['--id', 'd', '--every', '1h', '--handler', 'none'];
    const created = await chronis(['jobs', 'create', ...options], { env });
    expect(created.code).toBe(1);
    expect(created.stderr).toContain('give --allow-unknown-handler if the process that has it starts later.');
  });
});

test('a job of one instant that has failed is shown as failed, and found and explained as that', async () => {
  const jobs = { bad: { schedule: once, task: { type: 'cmd', command: '/bin/false' } } };
  await withJobs(jobs, async (_, args, env) => {
    await using service = RunningService.start(args, env);
    await service.says(/job_id=bad .*status=FAILURE/);
    expect((await document(['jobs', '--state', 'failed'], { env })).jobs).toMatchObject([{ id: 'bad' }]);
    expect((await document(['jobs', '--state', 'completed'], { env })).jobs).toEqual([]);
    expect((await chronis(['jobs'], { env })).stdout).toMatch(/^bad\tfailed\t/m);
    expect((await chronis(['jobs', 'show', 'bad'], { env })).stdout).toMatch(/^state\s+failed$/m);
    const why = await document(['why', 'bad', once], { env });
    expect(why).toMatchObject({ answer: 'ran', cause: 'failed' });
  });
});

test('a job of a file is shown with the file, where the service that reads it is asked', async () => {
  const daily = { schedule: '0 9 * * *', task: echo('day') };
  await withJobs({ first: { schedule: once, task: echo('first') }, daily }, async (folder, args, env) => {
    await using service = RunningService.start(args, env);
    await service.says('Commands are answered at');
    await service.says('job_id=first');
    const file = join(folder, 'jobs.d/daily.json');
    const { stdout } = await chronis(['jobs', 'show', 'daily'], { env });
    expect(/^source\s+(.*)$/m.exec(stdout)?.[1]).toBe(`file ${file}`);
    expect(await document(['jobs', 'show', 'daily'], { env })).toMatchObject({
      file,
      job: { source: 'code' },
    });
    await chronis(
      ['jobs', 'create', '--id', 'made', '--handler', 'none', '--manual', '--allow-unknown-handler'],
      {
        env,
      },
    );
    expect(await document(['jobs', 'show', 'made'], { env })).toMatchObject({
      file: null,
      job: { source: 'api' },
    });
    expect(await service.end('SIGTERM')).toBe(0);
    const alone = await chronis(['jobs', 'show', 'daily'], { env });
    expect(/^source\s+(.*)$/m.exec(alone.stdout)?.[1]).toBe('code');
  });
});

test('a log of objects has one in each line, and a level leaves out what is below', async () => {
  const jobs = {
    good: { schedule: once, task: echo('a') },
    bad: { schedule: once, task: { type: 'cmd', command: '/bin/false' } },
  };
  await withJobs(jobs, async (_, args, env) => {
    await using service = RunningService.start([...args, '--json'], env);
    await service.says(/"job_id":"good"/);
    await service.says(/"job_id":"bad"/);
    await service.end('SIGTERM');
    const lines = `${service.stdout}${service.stderr}`.trim().split('\n');
    const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(found.filter(({ status }) => status === 'FAILURE')).toMatchObject([
      { job_id: 'bad', outcome: 'failed' },
    ]);
    expect(found.filter(({ event }) => event === 'scheduler.started')).toHaveLength(1);
  });
  await withJobs(jobs, async (_, args, env) => {
    await using service = RunningService.start(args, { ...env, CHRONIS_LOG_LEVEL: 'error' });
    await service.says('job_id=bad');
    await service.end('SIGTERM');
    expect(service.stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^job_id=bad .*status=FAILURE/),
    ]);
    expect(service.stderr).toBe('');
  });
  await withJobs(jobs, async (_, args, env) => {
    await using service = RunningService.start([...args, '--log-format', 'nest'], { ...env, NO_COLOR: '1' });
    await service.says(/\[Chronis\] Running jobs/);
    await service.says(/ERROR \[Chronis\] Run \d+ of "bad"/);
    await service.end('SIGTERM');
    expect(service.stdout).not.toContain('job_id=');
  });
});

test.each([
  [['--jobs-dir', '/nowhere/jobs.d'], 'There is no folder /nowhere/jobs.d.'],
  [['--jobs-dir', '/etc/hostname'], '/etc/hostname is no folder.'],
  [['--jobs-dir', '/tmp', '--concurrency', '0'], '--concurrency: must be a whole number from 1 to 10000'],
  [['--jobs-dir', '/tmp', '--http-env', 'TOKEN'], '--http-addresses and --http-env go with --http-hosts.'],
  [['--jobs-dir', '/tmp', '--tz', 'Asia/Soul', '--storage', 'file:/tmp/never.yaml'], 'Asia/Soul'],
  [['--jobs-dir', '/tmp', '--storage', 'file:/tmp/never.txt'], '.txt'],
])('%j is refused with 64', async (args, sentence) => {
  const { code, stdout, stderr } = await chronis(['run', ...args]);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toContain(sentence);
});

test('a start that waits for a server is given up when it is told to end', async () => {
  await withJobs({}, async (_, args) => {
    const storage = 'postgres://root:s3cret-w0rd@127.0.0.1:1/none';
    await using service = RunningService.start([...args, '--storage', storage]);
    await service.says('WARNING');
    expect(await service.end('SIGTERM')).toBe(0);
    expect(service.stderr).toContain('postgres://root:***@127.0.0.1:1/none');
    expect(service.stderr + service.stdout).not.toContain('s3cret-w0rd');
  });
});

test('on PostgreSQL it makes the tables, warns of what may be run, and is asked by its socket', async () => {
  await withJobs({ a: { schedule: once, task: echo('a') } }, async (folder, args) => {
    const env = {
      CHRONIS_STORAGE: databaseUrl(),
      CHRONIS_SCHEMA: freshSchema('cli'),
      CHRONIS_SOCKET: join(folder, 's'),
    };
    await using service = RunningService.start(args, env);
    await service.says('job_id=a');
    expect(service.stderr).toContain('WARNING Whoever may write to the folder, or to this database');
    await service.says('Commands are answered');
    expect(await document(['health'], { env })).toMatchObject({
      healthy: true,
      storage: { kind: 'postgres' },
    });
    const { CHRONIS_STORAGE, CHRONIS_SCHEMA } = env;
    expect((await chronis(['health', '--here'], { env: { CHRONIS_STORAGE, CHRONIS_SCHEMA } })).code).toBe(0);
    expect(await service.end('SIGTERM')).toBe(0);
  });
});

/** The file with the jobs. */
function stateIn(folder: string): string {
  const state = join(folder, 'state/chronis');
  return join(
    state,
    readdirSync(state).find((name) => /^jobs\.\w+$/.test(name))!,
  );
}

function socketIn(folder: string): string {
  const state = join(folder, 'state/chronis');
  return join(state, readdirSync(state).find((name) => name.endsWith('.sock')) ?? 'none.sock');
}

/** Resolves when the file is there. */
function seen(folder: string, name: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(join(folder, name))) return;
      watcher.close();
      resolve();
    });
  });
}
