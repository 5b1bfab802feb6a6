// REST, the probes and the stream of changes of the packed tarball, on Express and on Fastify: compiled against the installed types, run as a process.
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module, type CanActivate, type ExecutionContext, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisModule, JobHandler } from 'nestjs-chronis';
import { ChronisHealthModule } from 'nestjs-chronis/health';
import { ChronisHttpModule } from 'nestjs-chronis/http';

class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers.authorization === 'let me in';
  }
}

class Jobs {
  @JobHandler('work')
  work(): void {}
}

@Module({
  imports: [
    ChronisHttpModule.forRoot({ guards: [Guard], user: () => ({ id: 'amy' }) }),
    ChronisHealthModule.forRoot({ path: 'health' }),
    ChronisModule.forRoot({ log: false }),
  ],
  providers: [Jobs],
})
class AppModule {}

function same(found: unknown, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected))
    throw new Error(`It was ${JSON.stringify(found)}, not ${JSON.stringify(expected)}.`);
}

async function tryApp(app: INestApplication): Promise<void> {
  app.setGlobalPrefix('api');
  app.enableVersioning();
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const send = async (method: string, path: string, body?: object) => {
    // Fastify refuses JSON of which there is none.
    const headers = { authorization: 'let me in', ...(body && { 'content-type': 'application/json' }) };
    const answer = await fetch(`http://127.0.0.1:${port}/api/${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: text === '' ? null : JSON.parse(text) };
  };
  const refused = await fetch(`http://127.0.0.1:${port}/api/chronis/jobs`);
  same(
    [refused.status, refused.headers.get('content-type')],
    [403, 'application/problem+json; charset=utf-8'],
  );
  const id = 'a/b.c';
  const path = `chronis/jobs/${encodeURIComponent(id)}`;
  same((await send('POST', 'chronis/jobs', { id, handler: 'work', every: '1h' })).status, 201);
  same((await send('POST', `${path}/pause`, { reason: 'hot' })).json.state, 'paused');
  same((await send('GET', 'chronis/jobs?state=paused')).json.items.length, 1);
  const { status, json } = await send('PATCH', path, { evry: '2h' });
  same([status, json.code, json.issues[0].path], [400, 'CHRONIS_INVALID_OPTION', 'evry']);
  same((await send('GET', 'chronis/audit')).json.items[0].actor, 'amy');
  same((await send('GET', 'chronis/openapi.json')).json.paths['/jobs/{id}'] !== undefined, true);
  same((await send('GET', 'health/ready')).json, { status: 'ok' });
  same((await send('DELETE', path)).status, 204);
  const headers = { authorization: 'let me in' };
  const events = await fetch(`http://127.0.0.1:${port}/api/chronis/events`, { headers });
  const reader = events.body!.getReader();
  same(new TextDecoder().decode((await reader.read()).value).startsWith('retry: 1000'), true);
  // The stream ends with the application.
  const closed = app.close();
  while (!(await reader.read()).done);
  await closed;
}

async function main(): Promise<void> {
  // Their types need those of Express, and a later compiler than Nest 10 has.
  for (const [name, adapter] of [
    ['@nestjs/platform-express', 'ExpressAdapter'],
    ['@nestjs/platform-fastify', 'FastifyAdapter'],
  ] as const) {
    const platform = await import(name as string);
    await tryApp(await NestFactory.create(AppModule, new platform[adapter](), { logger: ['error'] }));
  }
  console.log('ran over HTTP');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
