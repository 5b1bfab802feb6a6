import { expect, test } from 'vitest';
import { passwordsIn, scrubber, withoutPassword } from '../../lib/cli/secrets.js';
import { fileStorage } from '../../lib/file/index.js';
import type { StorageAdapter } from '../../lib/index.js';
import { maskedText as foundText } from '../../lib/typeorm/doctor/found.text.js';
import { newJob } from '../support/engine.js';
import { chronis, document, inFolder } from './cli.call.js';

// What people paste without encoding it.
const passwords = [
  's3cr#etpw',
  's3cr/etpw',
  's3cr?etpw',
  's3cr@etpw',
  's3cr:etpw',
  '12#etpw',
  's%3Aetpw',
  '@etpw',
];

test.each(passwords)('the password %s is in no URL that is shown', (password) => {
  for (const end of ['db/app', 'db/app?sslmode=require', 'db:5432/app?password=etpw', '[::1]/app']) {
    const shown = withoutPassword(`postgres://app:${password}@${end}`);
    expect(shown).toBe(`postgres://app:***@${end.replace('=etpw', '=***')}`);
  }
  expect(foundText(`connect to postgres://app:${password}@db/app failed`)).not.toContain('etpw');
});

test.each([
  ['postgres://db/app', 'postgres://db/app'],
  ['postgres://app@db/app', 'postgres://app@db/app'],
  ['postgres://db/app?password=s3cr@etpw&sslmode=require', 'postgres://db/app?password=***&sslmode=require'],
  ['postgres://app:s3cr@db/app?password=s3cr@etpw', 'postgres://app:***@db/app?password=***'],
  ['app:s3cretpw@db/app', '***@db/app'],
  ['sqlite.db', 'sqlite.db'],
  ['host=h password=s3cret dbname=x', 'host=h password=*** dbname=x'],
  ["host=h password='s3 cr\\'et=x' dbname=x", 'host=h password=*** dbname=x'],
  ['host=h password = s3cret', 'host=h password = ***'],
  ['Server=h;User=u;Password=s3c ret;Port=1', 'Server=h;User=u;Password=***;Port=1'],
  ['Server=h;Pwd="s3c;ret";Port=1', 'Server=h;Pwd=***;Port=1'],
  ['host=h sslpassword=s3cret', 'host=h sslpassword=***'],
])('%s is shown as %s', (given, shown) => expect(withoutPassword(given)).toBe(shown));

test.each(passwords)(
  'the password %s is found, and taken out of what is told, in all its forms',
  (password) => {
    const { told } = scrubber(passwordsIn([`postgres://app:${password}@db/app`], []));
    for (const form of [password, encodeURIComponent(password), JSON.stringify(password)])
      expect(told(`it is <${form}>`)).not.toContain('etpw');
  },
);

test.each(['n=nats://u:s3cr,etpw@h', 'n=nats://u:s3cr,x@h,m=redis://h', 'n=redis://:s3cr,et,pw@h/0'])(
  'a comma in the password of %s shows none of it, and says how it is written',
  async (given) => {
    for (const option of ['emit', 'emit-queues']) {
      const variable = `CHRONIS_${option.toUpperCase().replace('-', '_')}`;
      for (const [args, env] of [
        [[`--${option}`, given], {}],
        [[`--${option}=${given}`], {}],
        [[], { [variable]: given }],
      ] as const) {
        const { code, stdout, stderr } = await chronis(['run', '--jobs-dir', '/tmp', ...args], { env });
        expect(code).toBe(64);
        expect(stdout + stderr).not.toMatch(/s3cr|etpw/);
        expect(stderr).toContain('A comma within is written %2C.');
      }
    }
  },
);

test.each([
  ['nats://u:s3cr', 'nats://u:***'],
  ['nats://:s3cr/x', 'nats://:***'],
  ['nats://h:4222', 'nats://h:4222'],
  ['redis://h:99999/0', 'redis://h:99999/0'],
  ['redis://[::1]:6379/0', 'redis://[::1]:6379/0'],
])('of a URL that is cut, %s, %s is shown', (given, shown) => expect(withoutPassword(given)).toBe(shown));

test('what is told is without the passwords that others put into their errors', () => {
  const { told, result } = scrubber([]);
  const thrown = 'postgres://u:s3cretpw@h/x and password=s3cretpw';
  expect(told(thrown)).toBe('postgres://u:***@h/x and password=***');
  // Of a result nobody knows what it means.
  expect(result(thrown)).toBe(thrown);
});

test('what is told of a service that does not start has no password', async () => {
  await inFolder(async (folder) => {
    for (const password of ['s3cr#etpw', 's3cr/etpw', 's3cr?etpw']) {
      const env = { CHRONIS_STORAGE: `postgres://app:${password}@127.0.0.1:1/none` };
      const { code, stdout, stderr } = await chronis(['run', '--jobs-dir', folder], { env });
      expect(code).not.toBe(0);
      expect(stderr).toContain('postgres://app:***@127.0.0.1:1/none');
      expect(stdout + stderr).not.toMatch(/s3cr|etpw/);
    }
  });
});

test.each(['host=h password=s3cretw dbname=x', 'Server=h;User=u;Password=s3cretw', "password='s3cretw'"])(
  'no error has the password of %s, whichever option it is given to',
  async (words) => {
    for (const args of [
      ['jobs', '--storage', words],
      ['jobs', '--log-level', words],
      ['jobs', 'show', words, '--storage', 'file:/nowhere/jobs.json'],
      ['run', '--jobs-dir', '/tmp', '--concurrency', words],
      ['run', '--jobs-dir', '/tmp', '--emit', words],
      ['jobs', words],
    ]) {
      const { code, stdout, stderr } = await chronis([...args, '--json']);
      expect(code).not.toBe(0);
      expect(stdout + stderr, args.join(' ')).not.toContain('s3cretw');
    }
    const { stderr } = await chronis(['jobs'], { env: { CHRONIS_STORAGE: words } });
    expect(stderr).not.toContain('s3cretw');
  },
);

test('a password that is a word of the result does not falsify it', async () => {
  const env = { DATABASE_URL: 'postgres://chronis:chronis@db/chronis', PGPASSWORD: 'default' };
  const { stdout } = await chronis(['migrate', '--sql', '--from', '0'], { env });
  expect(stdout).toContain('create schema if not exists "chronis"');
  expect(stdout).not.toContain('***');
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.json`];
    const make = ['jobs', 'create', '--id', 'chronis', '--handler', 'default', '--every', '1h', ...at];
    expect((await chronis([...make, '--allow-unknown-handler'], { env })).code).toBe(0);
    const { jobs } = await document(['jobs', ...at], { env });
    expect(jobs).toMatchObject([{ id: 'chronis', namespace: 'default', handler: 'default' }]);
    expect((await chronis(['jobs', ...at], { env })).stdout).toContain('chronis\tpending\t');
  });
});

test('results are without the password of a URL, and errors without any, as documents too', async () => {
  const env = { PGPASSWORD: 's3cretpw', DATABASE_URL: 'postgres://app:12pw@db/app' };
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.json`];
    const payload = JSON.stringify({ urls: ['postgres://app:12pw@db/app', '//db/app?password=12pw'] });
    const make = [
      'jobs',
      'create',
      '--id',
      'a',
      '--handler',
      'b',
      '--every',
      '1h',
      '--payload',
      payload,
      ...at,
    ];
    await chronis([...make, '--allow-unknown-handler'], { env });
    const shown = await chronis(['jobs', 'show', 'a', '--json', ...at], { env });
    expect(shown.stdout).toContain('["postgres://app:***@db/app","//db/app?password=***"]');
    const { stdout, stderr } = await chronis(['jobs', 'show', 's3cretpw', '--json', ...at], { env });
    expect(JSON.parse(stdout).error.code).toBe('CHRONIS_JOB_NOT_FOUND');
    expect(stdout + stderr).not.toContain('s3cretpw');
  });
});

test('a text with very many logins is hidden as a whole, as the log hides it', () => {
  const told = 'see '.concat('a://b:c@d '.repeat(60));
  expect(scrubber([]).told(told)).toBe('***');
});

test('what is stored is shown without secrets, by their names and within texts', async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/jobs.yaml`;
    const storage = (await fileStorage({ path }).create()) as StorageAdapter;
    await storage.init();
    const can = { queues: ['default'], handlers: ['work'], app: 'shop' };
    const about = { name: 'w', generation: null, host: 'h', pid: 1, version: '1', zoneData: '2025b' };
    await storage.register({ id: 'w', ...about, ...can, retention: null }, 60_000);
    const secret = { apiKey: 'hiddenkey', to: 'postgres://u:hiddenpw@db/app', nr: 7 };
    const job = { id: 'order', handler: 'work', app: null, payload: secret, metadata: secret };
    await storage.insertJobs([newJob(Date.now() - 1_000, job)], 'raise');
    const { id: runId, fence, worker } = (await storage.claim({ workerId: 'w', ...can }, 1)).runs[0]!;
    const lines = [{ at: 1, level: 'log' as const, message: secret.to, fields: secret }];
    const ofRun = { runId, fence, worker };
    await storage.runLogs!.append([{ ...ofRun, attempt: 1, part: 0, lines, bytes: 9, dropped: 0 }]);
    await storage.runProgress!.report([{ ...ofRun, attempt: 1, at: 1, fraction: 0.5, details: secret }]);
    const failed = {
      outcome: 'failed',
      retryAt: null,
      error: `Error: ${secret.to}`,
      result: secret,
    } as const;
    await storage.settle([{ ...ofRun, startedAt: 1, finishedAt: Date.now(), ...failed }]);
    await storage.unregister('w');
    await storage.close();
    for (const args of [
      ['jobs', 'show', 'order'],
      ['runs', 'show', runId],
      ['runs', 'list'],
      ['runs', 'log', runId],
    ]) {
      for (const form of [[], ['--json']]) {
        const { code, stdout } = await chronis([...args, ...form, '--storage', `file:${path}`]);
        expect([...args, ...form, code, stdout]).toEqual([
          ...args,
          ...form,
          0,
          expect.stringContaining('***'),
        ]);
        expect(stdout, args.join(' ')).not.toMatch(/hiddenkey|hiddenpw/);
        if (form.length > 0) expect(JSON.parse(stdout)).toEqual(expect.any(Object));
      }
    }
    // Only what is shown.
    expect((await document(['jobs', 'show', 'order', '--storage', `file:${path}`])).job.payload.nr).toBe(7);
  });
});
