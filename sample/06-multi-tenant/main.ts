import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisEvents, ChronisModule, JobHandler, type RunContext } from 'nestjs-chronis';
import { JobsController } from './jobs.controller.js';

@Injectable()
class ReportService {
  @JobHandler('send-report')
  send({ job }: RunContext): void {
    console.log('   ran for', job.metadata.tenant_id, 'in the namespace', job.namespace);
  }
}

@Module({ imports: [ChronisModule.forRoot()], controllers: [JobsController], providers: [ReportService] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, '127.0.0.1');
const url = `${await app.getUrl()}/jobs`;

async function request(key: string, method: string, path = '', body?: object): Promise<string> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json' };
  const response = await fetch(url + path, {
    method,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer: unknown = await response.json().catch(() => null);
  const ids = Array.isArray(answer) ? ` ${JSON.stringify(answer.map((job: { id: string }) => job.id))}` : '';
  return `${response.status}${ids}`;
}

const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
console.log('Both tenants use the same id, and none of them is told:');
console.log(
  '   acme creates "report":  ',
  await request('key-of-acme', 'POST', '', { id: 'report', at: tomorrow }),
);
console.log(
  '   globex creates "report":',
  await request('key-of-globex', 'POST', '', { id: 'report', at: tomorrow }),
);
console.log(
  '   acme creates "secret":  ',
  await request('key-of-acme', 'POST', '', { id: 'secret', at: tomorrow }),
);
console.log('Each sees its own:');
console.log('   acme:  ', await request('key-of-acme', 'GET'));
console.log('   globex:', await request('key-of-globex', 'GET'));
console.log('What another one has is not found; without a key there is nothing:');
console.log('   globex deletes "secret":', await request('key-of-globex', 'DELETE', '/secret'));
console.log('   nobody lists:           ', await request('no key', 'GET'));
console.log('The handler knows for whom it runs:');
const ran = app.get(ChronisEvents).once('run.succeeded');
await request('key-of-globex', 'POST', '', { id: 'now', at: new Date().toISOString() });
await ran;
await app.close();
