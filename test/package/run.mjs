// Installs the packed tarball in throwaway apps outside the repository: it must compile, boot and run jobs in each of them.
// And the program of the package runs the jobs of a folder, in an empty folder, on each Node that it is for: --only '^service$' that alone.
// node test/package/run.mjs [--all] [--only REGEX of installations] [--steps REGEX]; what --all has tried of one tarball, in as many runs as it takes, adds up to one table.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startPostgres } from '../../out/support/postgres.js';
import { installer } from './managers.mjs';
import { all, short } from './stacks.mjs';
import { copyBundle, steps, write } from './steps.mjs';
import { note, tables } from './table.mjs';
import { tryService } from './service.mjs';
import { checkTarball } from './tarball.mjs';
import { tryTypes } from './types.mjs';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: { all: { type: 'boolean' }, only: { type: 'string' }, steps: { type: 'string' } },
});
const wanted = new RegExp(values.steps ?? '');
const stacks = (values.all ? all : short).filter(({ name }) => new RegExp(values.only ?? '').test(name));
const execute = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'chronis-package-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

async function run(command, args, cwd, env = {}) {
  try {
    const { stdout } = await execute(command, args, { cwd, env: { ...process.env, NO_COLOR: '1', ...env } });
    return stdout.trim();
  } catch ({ stdout, stderr, message }) {
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout || message}\n${stderr}`);
  }
}

/** What the steps do with an application. */
function appOf(stack, format, { installed, nodeOptions }) {
  const dir = join(folder, stack.name, format);
  const schema = `${stack.name}_${format}`.replaceAll(/\W/g, '_');
  const inNode = (file, args = [], env = {}) => {
    const NODE_OPTIONS = [...nodeOptions, env.NODE_OPTIONS ?? ''].join(' ');
    return run(process.execPath, [file, ...args], dir, { ...env, NODE_OPTIONS });
  };
  let databases = 0;
  const onPostgres = () => ({ DATABASE_URL: postgres.url, SCHEMA: `${schema}_${++databases}` });
  const expectRun = (printed, where) => {
    if (!printed.endsWith(`ran on ${where}`)) throw new Error(`It printed ${printed}`);
  };
  return {
    ...{
      dir,
      release: stack.release,
      manager: stack.manager,
      type: format === 'esm' ? 'module' : 'commonjs',
    },
    write: (name, text) => writeFileSync(join(dir, name), text),
    node: (file, ...args) => inNode(file, args),
    tool: (path, ...args) => inNode(installed(path), args),
    toolIn: (env, path, ...args) => inNode(installed(path), args, env),
    spec: (path, args, env = {}) => inNode(installed(path), args, { ...onPostgres(), ...env }),
    async start(file) {
      expectRun(await inNode(file, [], { DATABASE_URL: '' }), 'memory');
      expectRun(await inNode(file, [], onPostgres()), 'postgres');
    },
    async startAlone(file) {
      const alone = join(folder, 'alone', schema);
      copyBundle(this, alone);
      expectRun(await run(process.execPath, [file], alone, onPostgres()), 'postgres');
    },
  };
}

async function tryStack(stack) {
  const dir = join(folder, stack.name);
  mkdirSync(dir);
  const { name, dependencies, devDependencies } = stack;
  const manifest = { name, private: true, devDependencies };
  manifest.dependencies = { ...dependencies, 'nestjs-chronis': `file:${tarball}` };
  const manager = await installer(stack.manager, { dir, manifest, run, tools: join(folder, 'managers') });
  note(packed.shasum, { versions: manager.versions(Object.keys({ ...dependencies, ...devDependencies })) });
  const results = [];
  for (const compiler of stack.compilers ?? []) results.push(...(await tryCompiler(stack, dir, compiler)));
  for (const [format, names] of Object.entries(stack.steps)) {
    const app = appOf(stack, format, manager);
    write(app);
    if (stack.manager === 'npm') {
      cpSync(join(import.meta.dirname, 'both.mjs'), join(app.dir, 'both.mjs'));
      await app.node('both.mjs');
    }
    for (const step of names.filter((name) => wanted.test(name)))
      results.push(await tried(app, step, `${stack.label}, ${formats[format]}`));
  }
  return results;
}

const formats = { commonjs: 'CommonJS', esm: 'ES modules' };

async function tried(app, step, place) {
  const begunAt = performance.now();
  const error = await steps[step](app).then(
    () => null,
    (failure) => failure,
  );
  return told(place, step, error?.message ?? null, begunAt);
}

async function tryCompiler(stack, dir, compiler) {
  const begunAt = performance.now();
  const said = await tryTypes(dir, stack.release, compiler);
  const place = `${stack.label}, ${compiler.replace('typescript-', 'TypeScript ')}`;
  return said.map(([resolution, problems]) => told(place, resolution, problems.join('\n') || null, begunAt));
}

function told(place, step, problem, begunAt) {
  const seconds = Math.round((performance.now() - begunAt) / 1000);
  console.log(`${place}: ${step} ${problem === null ? 'ran' : `FAILED: ${problem}`} (${seconds} s)`);
  const result = { place, step, works: problem === null };
  note(packed.shasum, result);
  return result;
}

const [packed] = JSON.parse(
  await run('npm', ['pack', '--json', '--silent', '--pack-destination', folder], root),
);
checkTarball(packed, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
const tarball = join(folder, packed.filename);
const postgres = await startPostgres();
const results = [];

async function trialOf(stack) {
  try {
    results.push(...(await tryStack(stack)));
  } catch (error) {
    console.error(`${stack.name}: ${error.message}`);
    results.push({ place: stack.name, step: 'installed', works: false });
  } finally {
    rmSync(join(folder, stack.name), { recursive: true, force: true });
  }
}

async function trialOfService() {
  for (const [place, trial] of tryService(tarball, join(folder, 'service'), run)) {
    const begunAt = performance.now();
    const problem = await trial().then(
      () => null,
      ({ message }) => message,
    );
    results.push(told(place, 'the ready service', problem, begunAt));
  }
}

const waiting = stacks.map((stack) => () => trialOf(stack));
if (new RegExp(values.only ?? '').test('service')) waiting.push(trialOfService);
async function lane() {
  for (let next = waiting.shift(); next; next = waiting.shift()) await next();
}
try {
  await Promise.all([lane(), lane()]);
} finally {
  await postgres.stop();
}
if (values.all) console.log(tables(packed.shasum));
const works = results.filter((result) => result.works).length;
console.log(`${works} of ${results.length} ways to compile, bundle and test run the packed package`);
process.exit(works === results.length ? 0 : 1);
