import type { CallHandler, CanActivate, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { map, of } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { ChronisHealthModule } from '../../lib/health/index.js';
import { ChronisModule, SchedulerService } from '../../lib/index.js';
import { HttpApp, platforms } from '../support/http.app.js';

class Wrapping implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

class TokenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    if (headers.authorization === undefined) throw new Error('Who are you?');
    return headers.authorization === 'let me in';
  }
}

describe.each(platforms)('the routes of the health on %s', (platform) => {
  let app: HttpApp | undefined;
  afterEach(() => app?.close());

  const chronis = () => ChronisModule.forRoot({ log: false });
  const json = async (path: string, headers?: Record<string, string>) => {
    const { status, body } = await app!.get(path, headers);
    return { status, body: JSON.parse(body) as unknown };
  };

  test('tell the status to all, and details to nobody where there are no guards', async () => {
    const imports = [ChronisHealthModule.forRoot({ path: 'health' }), chronis()];
    app = await HttpApp.boot(platform, { imports }, (nest) => {
      nest.setGlobalPrefix('api');
      nest.useGlobalInterceptors(new Wrapping());
    });
    for (const path of ['/api/health/live', '/api/health/ready', '/api/health'])
      expect(await json(path)).toEqual({ status: 200, body: { status: 'ok' } });
    await app.app.get(SchedulerService).stop();
    expect(await json('/api/health/live')).toEqual({ status: 200, body: { status: 'ok' } });
    expect(await json('/api/health/ready')).toEqual({ status: 503, body: { status: 'failing' } });
  });

  test('tell details to whom all guards let in, and the status alone to others, whatever a guard throws', async () => {
    const guards = [TokenGuard, { canActivate: () => of(true) }];
    app = await HttpApp.boot(platform, {
      imports: [ChronisHealthModule.forRoot({ path: 'health', guards }), chronis()],
    });
    for (const headers of [undefined, { authorization: 'wrong' }])
      expect(await json('/health', headers as never)).toEqual({ status: 200, body: { status: 'ok' } });
    const { body } = await json('/health', { authorization: 'let me in' });
    expect(body).toMatchObject({
      status: 'ok',
      reasons: [],
      state: 'working',
      storage: { kind: 'memory', answers: true },
    });
    expect((await json('/health/ready', { authorization: 'let me in' })).body).toEqual({
      status: 'ok',
      reasons: [],
    });
  });

  test('are not there without a path', async () => {
    app = await HttpApp.boot(platform, { imports: [ChronisHealthModule.forRoot(), chronis()] });
    expect((await app.get('/health')).status).toBe(404);
  });
});
