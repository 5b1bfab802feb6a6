// The program of the packed package in an empty folder: it runs the jobs of the sample, without a server, on each Node that the package is for.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const examples = resolve(import.meta.dirname, '../../sample/24-ready-service/jobs.d');
const nodes = ['20.19', '22', '24'];
const limitMs = 60_000;
/** Those that have SQLite keep jobs in it. */
const storages = { 20.19: 'file:', 22: 'sqlite:', 24: 'sqlite:' };

/** What is tried, by name: each rejects with what does not work. The first installs the package. */
export function* tryService(tarball, folder, run) {
  const npm = (...args) => run('npm', [...args, '--no-audit', '--no-fund'], folder);
  const bin = join(folder, 'node_modules/nestjs-chronis/dist/cli/bin.js');
  yield [
    'npx in an empty folder',
    async () => {
      mkdirSync(folder);
      await npm('install', tarball);
      cpSync(examples, join(folder, 'jobs.d'), { recursive: true });
      const version = await run('npx', ['nestjs-chronis', '--version'], folder);
      if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`It printed ${version}`);
      await serve('npx', ['nestjs-chronis'], folder, 'npx', run, '');
    },
  ];
  for (const release of nodes) {
    yield [
      `Node ${release}`,
      async () => {
        const place = join(folder, `node-${release}`);
        await npm(
          'install',
          '--prefix',
          place,
          '--no-save',
          `node-${process.platform}-${process.arch}@${release}`,
        );
        const node = join(place, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
        await serve(node, [bin], folder, release, run, storages[release]);
      },
    ];
  }
}

/** Starts the service, asks it, and ends it. */
async function serve(command, args, folder, name, run, storage) {
  const env = { ...process.env, XDG_STATE_HOME: join(folder, `state-${name}`) };
  for (const key of Object.keys(env)) if (/^(CHRONIS_|PG|DATABASE_URL)/.test(key)) delete env[key];
  const child = spawn(command, [...args, 'run', '--jobs-dir', 'jobs.d', '--log-level', 'INFO'], {
    ...{ cwd: folder, env, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  const ended = new Promise((done) => child.on('close', done));
  const isReady = new Promise((done) => {
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        said[stream] += text;
        const isDone = /^job_id=onetime-cleanup .*status=SUCCESS/m.test(said.stdout);
        if (isDone && said.stderr.includes('Commands are answered')) done();
      });
    }
  });
  const fault = (problem) => new Error(`${problem}:\n${said.stdout}\n${said.stderr}`);
  let timer;
  const late = new Promise(
    (_, reject) => (timer = setTimeout(() => reject(fault('It took too long')), limitMs)),
  );
  try {
    await Promise.race([isReady, late, ended.then((code) => Promise.reject(fault(`It ended with ${code}`)))]);
    const { jobs } = JSON.parse(await run(command, [...args, 'jobs', '--json'], folder, env));
    const ids = jobs.map(({ id }) => id).join();
    if (ids !== 'daily-report,frequent-task,onetime-cleanup') throw fault(`Its jobs are ${ids}`);
    if (!said.stderr.includes(`kept in ${storage}`)) throw fault(`They are not kept in ${storage}`);
    process.kill(-child.pid, 'SIGTERM');
    const code = await Promise.race([ended, late]);
    if (command !== 'npx' && code !== 0) throw fault(`It ended with ${code}`);
    if (/ (WARNING|ERROR) |Warning:/.test(said.stderr)) throw fault('It has complained');
  } finally {
    clearTimeout(timer);
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
  }
}
