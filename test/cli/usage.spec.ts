import { describe, expect, test } from 'vitest';
import { packageVersion } from '../../lib/package.version.js';
import { chronis, document, inFolder } from './cli.call.js';

describe('what makes no sense is refused with 64, on stderr', () => {
  test.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['jobs', 'lst'], 'There is no command "jobs lst". There are: list, show, create'],
    [['jobs', 'list', '--stat', 'failed'], 'Did you mean --state?'],
    [['jobs', 'list', '--limit', '0'], '--limit: must be a whole number from 1 to 1000, but is "0".'],
    [
      ['jobs', 'list', '--type', 'hourly'],
      '--type: must be one of cron, interval, at, after, manual, but is "hourly".',
    ],
    [['jobs', 'show'], "missing required argument 'id'"],
    [['jobs', 'create', '--payload', '{'], '--payload: is no JSON'],
    [['jobs', 'list', '--log-level', 'loud'], '--log-level: must be one of DEBUG, INFO, WARNING, ERROR'],
    [['pauses', 'add'], 'Give exactly one of --handler, --queue, --namespace and --all.'],
    [['pauses', 'add', '--all', '--queue', 'mail'], 'Give exactly one of'],
    [['runs', 'retry', '7', '--job', 'daily'], 'Give ids, or --all with conditions, and not both.'],
    [['runs', 'retry', '7', '--spread', '5m'], 'Give ids, or --all with conditions, and not both.'],
    [['runs', 'retry', '7', '--all'], 'Give ids, or --all with conditions, and not both.'],
    [['runs', 'discard', '7', '--queue', 'mail', '--yes'], 'Give ids, or --all with conditions'],
    [['runs', 'discard', '7', '--all', '--yes'], 'Give ids, or --all with conditions'],
    [['runs', 'discard', '--job', 'daily', '--yes'], 'Say which runs: by their ids, or by --all'],
    [['runs', 'retry', '--spread', '5m'], 'Say which runs: by their ids, or by --all'],
    [['prune'], '--older-than is missing.'],
    [['migrate', '--check', '--sql'], 'Give one of --check, --sql and --dry-run.'],
    [['preview', '0 9 * *'], 'has 4 fields'],
    [['preview', '@hourly', '--tz', 'Asia/Soul'], 'Asia/Soul'],
    [['completion', 'cmd'], 'There are: bash, zsh, fish.'],
  ])('%j', async (args, sentence) => {
    const { code, stdout, stderr } = await chronis(args);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(sentence);
  });

  test.each(['abc', '0', '70000', '5432x', '-1'])('PGPORT that is no port: %s', async (port) => {
    const { code, stderr } = await chronis(['jobs'], { env: { PGHOST: 'localhost', PGPORT: port } });
    expect(code).toBe(64);
    expect(stderr).toContain(`PGPORT: must be a port, from 1 to 65535, but is "${port}".`);
  });

  test('a storage of no known form is named without its password', async () => {
    const { code, stderr } = await chronis(['jobs', '--storage', 'mysql://root:s3cret!@db/app']);
    expect(code).toBe(64);
    expect(stderr).toContain('--storage: must be postgres://');
    expect(stderr).toContain('mysql://root:***@db/app');
    expect(stderr).not.toContain('s3cret!');
  });

  test.each([
    'postgres:u:geheim@h/db',
    'postgres:/u:geheim@h/db',
    'u:geheim@h/db',
    'postgres:u:a@b@geheim@h/db',
    'file:postgres://u:geheim@h/db',
    'sqlite:postgres://u:geheim@h/db',
  ])('a URL that is none is named without its password: %s', async (where) => {
    for (const given of [{ env: { CHRONIS_STORAGE: where } }, {}]) {
      const args = 'env' in given ? ['jobs'] : ['jobs', '--storage', where];
      const { code, stderr } = await chronis(args, given);
      expect(code).toBe(64);
      expect(stderr).toContain('***@h/db"');
      expect(stderr).not.toMatch(/geheim|a@b/);
    }
  });

  test('a file that is not there is none without jobs', async () => {
    await inFolder(async (folder) => {
      const { code, stderr } = await chronis(['jobs', '--storage', `file:${folder}/job.yaml`]);
      expect(code).toBe(64);
      expect(stderr).toContain(`There is no file ${folder}/job.yaml (--storage).`);
      const other = await chronis(['jobs'], { env: { XDG_STATE_HOME: folder } });
      expect(other.code).toBe(64);
      expect(other.stderr).toContain(`there is none yet at ${folder}/chronis/jobs.`);
    });
  });
});

describe('with --json', () => {
  test('an error is the one document on stdout, and a sentence on stderr', async () => {
    const { code, stdout, stderr } = await chronis(['preview', '61 * * * *', '--json']);
    expect(code).toBe(64);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'CHRONIS_INVALID_SCHEDULE', message: expect.stringContaining('61') },
    });
    expect(stderr).toMatch(/^chronis: .*61/);
  });

  test('so is one of what was typed', async () => {
    expect(await document(['jobs', '--limt', '3'])).toEqual({
      error: { code: 'CHRONIS_CLI_USAGE', message: expect.stringContaining('--limit') },
    });
  });
});

describe('variables', () => {
  test('stand for options, and an option is before its variable', async () => {
    const env = { CHRONIS_JSON: 'true' };
    expect(JSON.parse((await chronis(['version'], { env })).stdout)).toMatchObject({
      chronis: packageVersion,
    });
    const { stderr } = await chronis(['jobs', '--storage', 'other'], { env: { CHRONIS_STORAGE: 'nothing' } });
    expect(stderr).toContain('--storage: must be postgres://');
  });

  test('are named where they are wrong', async () => {
    const { code, stderr } = await chronis(['jobs'], { env: { CHRONIS_STORAGE: 'oracle:x' } });
    expect(code).toBe(64);
    expect(stderr).toContain('CHRONIS_STORAGE: must be postgres://');
    const level = await chronis(['version'], { env: { CHRONIS_LOG_LEVEL: 'loud' } });
    expect(level.code).toBe(64);
    expect(level.stderr).toContain('CHRONIS_LOG_LEVEL: must be one of');
  });

  test('that nothing reads are told, with the near name', async () => {
    const env = { CHRONIS_STORGE: 'x', CHRONIS_SOMETHING_ELSE: 'y', CHRONIS_RUN_ID: '7' };
    const { code, stderr } = await chronis(['version'], { env });
    expect(code).toBe(0);
    expect(stderr).toBe(
      'There is no variable CHRONIS_SOMETHING_ELSE: nothing reads it.\n' +
        'There is no variable CHRONIS_STORGE: nothing reads it. Did you mean CHRONIS_STORAGE (--storage)?\n',
    );
  });

  test('that are empty are as if they were not there', async () => {
    expect((await chronis(['version'], { env: { CHRONIS_LOG_LEVEL: '' } })).code).toBe(0);
  });
});

test('help and the version are on stdout, with 0', async () => {
  for (const args of [['--help'], ['jobs', '--help'], ['help', 'jobs', 'create'], ['--version']]) {
    const { code, stdout, stderr } = await chronis(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toBe('');
  }
});

test('a schedule is previewed without a storage', async () => {
  const args = ['preview', '30 2 * * *', '--tz', 'Europe/Lisbon', '--from', '2026-03-27', '--count', '2'];
  const { code, stdout } = await chronis(args);
  expect(code).toBe(0);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    'At 02:30 in Europe/Lisbon, every day:',
    '  2026-03-27 02:30:00 +00:00  2026-03-27T02:30:00.000Z',
    '  2026-03-28 02:30:00 +00:00  2026-03-28T02:30:00.000Z',
  ]);
  expect((await document(['preview', '90m', '--count', '1'])).sentence).toBe('Every 1 hour 30 minutes');
  expect((await document(['preview', '2040-05-05T10:00:00Z'])).occurrences).toHaveLength(1);
});
