import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { chronis, inFolder } from './cli.call.js';

const execute = promisify(execFile);
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CHRONIS_')));
let bin: string;

beforeAll(() => {
  bin = join(compiledTests(), 'lib/cli/bin.js');
}, 120_000);

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** The packages that the program loads for this. */
function packagesFor(...args: string[]): string[] {
  const script = `const Module = require('node:module');
    const load = Module._load;
    const names = new Set();
    Module._load = (name, ...others) => {
      const found = /^(?:@[^/]+\\/)?[^./][^/]*/.exec(name);
      if (found && !name.startsWith('node:') && !Module.builtinModules.includes(name)) names.add(found[0]);
      return load(name, ...others);
    };
    process.on('exit', () => console.error([...names].join('\\n')));
    process.argv = [process.argv[0], ${JSON.stringify(bin)}, ...${JSON.stringify(args)}];
    require(${JSON.stringify(bin)});`;
  const { stderr } = spawnSync(process.execPath, ['--input-type=commonjs', '-e', script], {
    encoding: 'utf8',
    env,
  });
  return stderr.split('\n').filter((name) => name !== '');
}

test('help, completion and the version need neither Nest nor a driver', () => {
  expect(packagesFor('--help')).toEqual(['commander']);
  expect(packagesFor('completion', 'bash')).toEqual(['commander']);
  expect(packagesFor('version')).toEqual(['commander']);
});

test('who reads the result may stop reading', async () => {
  const pipe = `"${process.execPath}" "${bin}" preview '* * * * *' --count 1000 | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await execute('bash', ['-c', pipe], { env });
  expect(stdout).toBe('Every minute in UTC:\n0\n');
  expect(stderr).toBe('');
});

test('a result that cannot be written is a failure', async () => {
  const full = `"${process.execPath}" "${bin}" version > /dev/full; echo "$?"`;
  const { stdout, stderr } = await execute('bash', ['-c', full], { env });
  expect(stdout).toBe('1\n');
  expect(stderr).toContain('chronis: The result could not be written: ENOSPC');
});

test('the result is whole where a pipe is slow, and nothing else is on stdout', async () => {
  const pipe = `"${process.execPath}" "${bin}" preview '* * * * *' --count 1000 --json | cat`;
  const { stdout } = await execute('bash', ['-c', pipe], { env, maxBuffer: 10_000_000 });
  expect((JSON.parse(stdout) as { occurrences: unknown[] }).occurrences).toHaveLength(1_000);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('on %s it gives back what it has, and ends with %i', async (signal, code) => {
  const schema = freshSchema('cli');
  const storage = newStorage({ schema });
  await storage.init();
  // What one sees of the others stays the same within a transaction.
  const [other, watcher] = [1, 2].map(() => new Client({ connectionString: databaseUrl() })) as [
    Client,
    Client,
  ];
  await Promise.all([other.connect(), watcher.connect()]);
  try {
    await other.query(`begin; lock table "${schema}"."job" in access exclusive mode`);
    const args = [bin, 'jobs', 'delete', '--all', '--yes', '--storage', databaseUrl(), '--schema', schema];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += String(text)));
    const waits = async (): Promise<boolean> => {
      const { rows } = await watcher.query(
        `select from pg_locks where not granted and relation = '"${schema}"."job"'::regclass`,
      );
      return rows.length > 0;
    };
    while (child.exitCode === null && !(await waits())) await new Promise(setImmediate);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([code, null]);
    expect(said).toBe('chronis: It was interrupted. What was done until then stays done.\n');
  } finally {
    await Promise.all([other.end(), watcher.end()]);
    await storage.close();
  }
});

describe('an application that is planned', () => {
  const plan = (name: string, ...more: string[]) =>
    inFolder(async (folder) => {
      const app = join(bin, '../../../test/cli/plan.app/in.trouble.js');
      const args = [bin, 'plan', '--app', app, '--export', name, '--json', ...more];
      const options = { env: { ...env, PLAN_FILE: join(folder, 'jobs.json') }, timeout: 60_000 };
      const { code, stdout, stderr } = await execute(process.execPath, args, options).then(
        (said) => ({ ...said, code: 0 }),
        (error: Said) => error,
      );
      return { status: code, document: JSON.parse(stdout) as Record<string, unknown>, stderr };
    });

  async function expectTold(name: string, sentence: string): Promise<void> {
    const { status, document, stderr } = await plan(name, '--boot-timeout', '15s');
    expect(status).toBe(1);
    expect(stderr).toContain(sentence);
    expect(document).toMatchObject({ error: { message: expect.stringContaining(sentence) } });
  }

  test.each([
    ['Exits', 'has ended the process while it booted, with the code 0'],
    ['Breaks', 'has ended the process while it booted, with the code 1'],
    ['Starves', 'nothing is left in the process that could end onModuleInit() of Warm.'],
  ])('%s: there is a sentence and a document, and no 0', (name, sentence) => expectTold(name, sentence));

  // Beside each other: they do nothing but wait. With time enough for three that boot at once.
  test.concurrent.each([
    ['Hangs', 'did not boot within 15s, waiting for onModuleInit() of Warm.'],
    ['Unmade', 'did not boot within 15s, waiting for the factory of CONNECTION in AppModule.'],
    ['Unclosed', 'did not boot within 15s, waiting for onModuleDestroy() of Closing.'],
  ])('%s: there is a sentence and a document, and no 0', (name, sentence) => expectTold(name, sentence));

  test('may write to stdout: that is on stderr', async () => {
    const { status, document, stderr } = await plan('Noisy');
    expect({ status, document, stderr }).toMatchObject({
      status: 0,
      document: { isEmpty: true },
      stderr: 'noise\nmore\n',
    });
  });
});

test('nobody is asked where nobody can answer', async () => {
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.yaml`];
    await chronis([
      'jobs',
      'create',
      '--id',
      'a',
      '--handler',
      'h',
      '--manual',
      '--allow-unknown-handler',
      ...at,
    ]);
    const { status, stderr } = spawnSync(process.execPath, [bin, 'jobs', 'delete', 'a', ...at], {
      encoding: 'utf8',
      env,
      input: 'y\n',
    });
    expect(status).toBe(64);
    expect(stderr).toBe('chronis: Delete "a"? Nobody is there to be asked: give --yes if that is meant.\n');
  });
});
