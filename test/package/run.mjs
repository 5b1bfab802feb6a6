// Installs the packed tarball in throwaway apps outside the repository: it must compile, boot and run jobs in each of them.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startPostgres } from '../../out/support/postgres.js';

const root = resolve(import.meta.dirname, '../..');
const node10 = { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0' };
const apps = [
  { name: 'nest-12-esm', type: 'module', nest: '^12.0.0', typeorm: '^1.0.0' },
  { name: 'nest-12-commonjs', type: 'commonjs', nest: '^12.0.0', typeorm: '^1.0.0' },
  { name: 'nest-11-typeorm-0.3', type: 'commonjs', nest: '^11.0.0', typeorm: '^0.3.20' },
  // As projects of Nest 10 and early 11 are set up: the compiler does not read "exports".
  { name: 'nest-11-node10', type: 'commonjs', nest: '^11.0.0', typeorm: '^0.3.20', compiler: node10 },
];

function run(command, args, cwd, env = {}) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, ...env } });
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${result.stdout}\n${result.stderr}`);
  }
  return result.stdout.trim();
}

const folder = mkdtempSync(join(tmpdir(), 'chronis-package-'));
const postgres = await startPostgres();
let failed = 0;
try {
  const tarball = join(
    folder,
    run('npm', ['pack', '--silent', '--pack-destination', folder], root).split('\n').at(-1),
  );
  for (const app of apps) {
    const dir = join(folder, app.name);
    mkdirSync(dir);
    cpSync(join(import.meta.dirname, 'app.ts'), join(dir, 'app.ts'));
    const dependencies = {
      '@nestjs/common': app.nest,
      '@nestjs/core': app.nest,
      'nestjs-chronis': `file:${tarball}`,
      pg: '^8.11.0',
      'reflect-metadata': '^0.2.0',
      rxjs: '^7.8.0',
      typeorm: app.typeorm,
    };
    writeFileSync(
      join(dir, 'package.json'),
      JSON.stringify({ name: app.name, private: true, type: app.type, dependencies }),
    );
    const compilerOptions = {
      ...{
        module: 'nodenext',
        target: 'es2022',
        strict: true,
        skipLibCheck: false,
        outDir: 'out',
        types: ['node'],
      },
      ...{
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      ...app.compiler,
    };
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
    try {
      run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], dir);
      run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], dir);
      for (const DATABASE_URL of ['', postgres.url]) {
        const SCHEMA = app.name.replaceAll(/\W/g, '_');
        console.log(`${app.name}: ${run(process.execPath, ['out/app.js'], dir, { DATABASE_URL, SCHEMA })}`);
      }
    } catch (error) {
      failed++;
      console.error(`${app.name}: ${error.message}`);
    }
  }
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${apps.length - failed} of ${apps.length} apps run the packed package`);
process.exit(failed === 0 ? 0 : 1);
