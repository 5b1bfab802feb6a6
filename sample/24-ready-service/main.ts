// The ready service: the program of the package runs the jobs of a folder, without an application and without a server.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = join(
  createRequire(import.meta.url).resolve('nestjs-chronis/package.json'),
  '../dist/cli/bin.js',
);
const jobs = fileURLToPath(new URL('../../sample/24-ready-service/jobs.d', import.meta.url));
// In place of the state folder of the user: each start of this sample begins anew.
const state = mkdtempSync(join(tmpdir(), 'ready-service-'));
const env = { PATH: process.env.PATH, XDG_STATE_HOME: state };

async function chronis(...args: string[]): Promise<string> {
  console.log(`$ npx nestjs-chronis ${args.join(' ')}`);
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { env });
  return stdout.trimEnd();
}

console.log('$ npx nestjs-chronis run --jobs-dir jobs.d --log-level INFO');
const service = spawn(process.execPath, [program, 'run', '--jobs-dir', jobs, '--log-level', 'INFO'], {
  env,
  stdio: ['ignore', 'pipe', 'pipe'],
});
const ended = new Promise<number | null>((resolve) => service.on('close', resolve));
const isReady = new Promise<void>((resolve) => {
  createInterface(service.stderr).on('line', (line) => {
    console.log(`  ${line.replaceAll(state, '~/.local/state')}`);
    if (line.includes('Commands are answered')) resolve();
  });
});
// What was due once, in the past, runs at once.
const isCleaned = new Promise<void>((resolve) => {
  createInterface(service.stdout).on('line', (line) => {
    console.log(`  ${line}`);
    if (line.includes('job_id=onetime-cleanup')) resolve();
  });
});
const failed = ended.then((code) => Promise.reject(new Error(`The service has ended with ${code}.`)));
await Promise.race([Promise.all([isReady, isCleaned]), failed]);

console.log(await chronis('jobs'));
console.log(await chronis('jobs', 'run', 'frequent-task', '--wait'));
console.log(await chronis('jobs', 'run', 'daily-report', '--wait'));
console.log(await chronis('health'));

failed.catch(() => undefined);
service.kill('SIGTERM');
console.log(`The service has ended with ${await ended}.`);
rmSync(state, { recursive: true });
