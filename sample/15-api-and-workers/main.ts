import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { provideDatabase } from '../support/database.js';
import { runReport } from './report.js';

const database = await provideDatabase();
process.env.SCHEMA ??= `split_sample_${Date.now()}`;

async function start(role: 'api' | 'worker'): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(new URL(`./${role}.js`, import.meta.url), { env: { ...process.env, PORT: '0' } });
  const [url] = (await once(child, 'message')) as [string];
  return { child, url: url.replace('[::1]', 'localhost') };
}

async function stop({ child }: { child: ChildProcess }): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

const post = async (url: string, body: object = {}): Promise<unknown> => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return [answer.status, await answer.json()];
};

console.log('An API, and no worker has ever been there:');
const api = await start('api');
console.log('an order:', await post(`${api.url}/orders`, { order: '7' }));
console.log('a report:', await post(`${api.url}/reports/daily-report`));

console.log('\nA worker comes:');
const worker = await start('worker');
console.log('a script has another report written:', await runReport('daily-report'));

console.log('\nThe worker goes, as for a deploy:');
await stop(worker);
console.log('an order:', await post(`${api.url}/orders`, { order: '8' }));
const ready = await fetch(`${api.url}/readyz`);
const { state, healthy } = (await ready.json()) as { state: string; healthy: boolean };
console.log('the API:', ready.status, { state, healthy });
await stop(api);
await database.stop();
