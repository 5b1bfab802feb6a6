import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { inFolder } from './cli.call.js';

const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CHRONIS_')));
let bin: string;

beforeAll(() => {
  bin = join(compiledTests(), 'lib/cli/bin.js');
}, 240_000);

interface Planned {
  status: number | null;
  stdout: string;
  stderr: string;
  folder: string;
}

/** A plan of the first file, by the program itself: what Node writes of an error is written by Node. */
function plan(files: Readonly<Record<string, string>>, ...more: string[]): Promise<Planned> {
  return inFolder(async (folder) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const args = [bin, 'plan', '--app', join(folder, Object.keys(files)[0]!), ...more];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env, timeout: 60_000 });
    return { status, stdout, stderr, folder };
  });
} // prettier-ignore

describe('a configuration that throws', () => {
  const message = [
    'Cannot reach postgres://app:s3cretpw@db.internal/shop',
    'GET https://vault.internal/v1/shop?token=s3cretpw said 403',
    'The vault refused Bearer s3cretpw0123456789',
  ].join('; ');
  const hangs =
    'setInterval(() => {}, 1e6); exports.AppModule = class { onModuleInit() { return new Promise(() => {}); } };';

  test.each<[place: string, source: (thrown: string) => string, says: RegExp]>([
    ['when it is loaded', (thrown) => `require('./config.cjs').load(${thrown}); ${hangs}`, /^chronis: Cannot reach/m],
    ['later, and nobody catches it', (thrown) => `setTimeout(() => { throw ${thrown}; }, 1); ${hangs}`, /at .*app\.cjs:1:[^]*nobody caught: Cannot reach/],
    ['in a promise that nobody waits for', (thrown) => `void Promise.reject(${thrown}); ${hangs}`, /at .*app\.cjs:1:[^]*nobody caught: Cannot reach/],
  ])('%s is told without its secrets', async (_, source, says) => {
    const files = {
      'app.cjs': source(`new Error(${JSON.stringify(message)})`),
      'config.cjs': 'exports.load = (thrown) => { throw thrown; };',
    };
    const { status, stdout, stderr } = await plan(files, '--json', '--log-level', 'DEBUG');
    expect(stdout + stderr).not.toContain('s3cret');
    expect(stderr).toMatch(says);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    for (const words of ['Cannot reach postgres://app:***@db.internal', 'said 403', 'The vault refused'])
      expect([error.message, stderr]).toEqual([words, words].map((each) => expect.stringContaining(each) as string));
    expect([status, error.code]).toEqual([1, 'CHRONIS_CLI_FAILED']);
  }); // prettier-ignore

  test('as its JSON is broken is told without what stands there, and is no file that cannot be loaded', async () => {
    const text = JSON.stringify('{"password": s3cretpw}');
    const source = `JSON.parse(${text}); exports.AppModule = class {};`;
    const { status, stdout, stderr } = await plan({ 'app.cjs': source });
    expect(stdout + stderr).not.toContain('s3cret');
    expect(stderr).toContain("chronis: Unexpected token 's' is not valid JSON");
    expect(status).toBe(1);
  });
});

describe('a file that is no JavaScript', () => {
  const broken = 'const a = 1;\n\nconst b = = 2;\n';

  test.each<[string, Record<string, string>, place: string]>([
    ['itself, as CommonJS', { 'app.cjs': broken }, 'app.cjs:3'],
    ['itself, as an ES module', { 'app.mjs': broken }, 'app.mjs:3'],
    [
      'required by another one',
      { 'app.cjs': "require('./config.cjs');\nexports.AppModule = class {};", 'config.cjs': broken },
      'config.cjs:3',
    ],
    [
      'imported by another one',
      { 'app.mjs': "import './config.mjs';\nexport class AppModule {}", 'config.mjs': broken },
      'config.mjs:3',
    ],
    [
      'imported for what it does not have',
      {
        'app.mjs': "export { AppModule } from './config.mjs';\n",
        'config.mjs': "export class AppModule {}\nimport { nothing } from './other.mjs';\n",
        'other.mjs': 'export const something = 1;\n',
      },
      'config.mjs:2',
    ],
  ])('%s, is named with its line', async (_, files, place) => {
    const { status, stderr, folder } = await plan(files);
    expect(stderr).toMatch(/^chronis: --app: .* cannot be loaded: /);
    expect(stderr).toContain(` ${join(folder, place)}: `);
    expect(stderr).toContain('Give the compiled module');
    expect(stderr).not.toContain('const b');
    expect(status).toBe(64);
  });
});
