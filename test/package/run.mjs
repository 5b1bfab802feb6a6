// Installs the packed tarball in throwaway apps outside the repository: it must compile, boot and run jobs in each of them.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { startPostgres } from '../../out/support/postgres.js';
import { inJest, inVitest } from './specs.mjs';

const root = resolve(import.meta.dirname, '../..');
const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
const node10 = { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' };
const apps = [
  { name: 'nest-12-esm', type: 'module', nest: '^12.0.0', typeorm: '^1.0.0', spec: inVitest },
  { name: 'nest-12-commonjs', type: 'commonjs', nest: '^12.0.0', typeorm: '^1.0.0', spec: inJest },
  { name: 'nest-11-esm', type: 'module', nest: '^11.0.0', typeorm: '^0.3.20' },
  // As projects of Nest 10 and early 11 are set up: the compiler does not read "exports".
  { name: 'nest-11-commonjs', type: 'commonjs', nest: '^11.0.0', typeorm: '^0.3.20', compiler: node10 },
];

const execute = promisify(execFile);

async function run(command, args, cwd, env = {}) {
  try {
    const { stdout } = await execute(command, args, { cwd, env: { ...process.env, ...env } });
    return stdout.trim();
  } catch ({ stdout, stderr }) {
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}\n${stderr}`);
  }
}

async function tryPackage(app, dir) {
  mkdirSync(dir);
  for (const file of ['app.ts', 'lifecycle.ts', 'machinery.ts'])
    cpSync(join(import.meta.dirname, file), join(dir, file));
  const dependencies = {
    '@nestjs/common': app.nest,
    '@nestjs/core': app.nest,
    'nestjs-chronis': `file:${tarball}`,
    pg: '^8.11.0',
    'reflect-metadata': '^0.2.0',
    rxjs: '^7.8.0',
    typeorm: app.typeorm,
  };
  const manifest = { name: app.name, private: true, type: app.type, dependencies };
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'es2022', strict: true, skipLibCheck: false, outDir: 'out' },
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true },
    ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
    ...app.compiler,
  };
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const spec = app.spec?.(dir);
  await run('npm', ['install', ...quiet, ...(spec?.needs ?? [])], dir);
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], dir);
  const SCHEMA = app.name.replaceAll(/\W/g, '_');
  for (const DATABASE_URL of ['', postgres.url]) {
    const env = { DATABASE_URL, SCHEMA };
    console.log(`${app.name}: ${await run(process.execPath, ['out/app.js'], dir, env)}`);
  }
  if (!spec) return;
  await run('npx', spec.command, dir, { DATABASE_URL: postgres.url, SCHEMA: `${SCHEMA}_spec` });
  console.log(`${app.name}: tested by ${spec.command[0]}`);
}

const lanes = 2;
const folder = mkdtempSync(join(tmpdir(), 'chronis-package-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], root);
const tarball = join(folder, packed.split('\n').at(-1));
const postgres = await startPostgres();
let failed = 0;
const waiting = [...apps];
async function lane() {
  for (let app = waiting.shift(); app; app = waiting.shift()) {
    try {
      await tryPackage(app, join(folder, app.name));
    } catch (error) {
      failed++;
      console.error(`${app.name}: ${error.message}`);
    }
  }
}
try {
  await Promise.all(Array.from({ length: lanes }, lane));
} finally {
  await postgres.stop();
}
console.log(`${apps.length - failed} of ${apps.length} apps run the packed package`);
process.exit(failed === 0 ? 0 : 1);
