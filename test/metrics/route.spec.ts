import {
  Injectable,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { map } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { ChronisModule } from '../../lib/index.js';
import { ChronisMetricsModule } from '../../lib/metrics/index.js';
import { HttpApp, platforms } from '../support/http.app.js';

class Token {
  readonly secret = 'let me in';
}

@Injectable()
class TokenGuard implements CanActivate {
  constructor(private readonly token: Token) {}
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return headers.authorization === this.token.secret;
  }
}
Reflect.defineMetadata('design:paramtypes', [Token], TokenGuard);

/** As applications have: what is returned is wrapped. */
class Wrapping implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

describe.each(platforms)('the route of the metrics on %s', (platform) => {
  let app: HttpApp | undefined;
  afterEach(() => app?.close());

  const chronis = () => ChronisModule.forRoot({ log: false });

  test('is there where there is a path, below the global prefix, and answers as Prometheus reads', async () => {
    const imports = [ChronisMetricsModule.forRoot({ path: 'metrics' }), chronis()];
    app = await HttpApp.boot(platform, { imports }, (nest) => {
      nest.setGlobalPrefix('api');
      nest.useGlobalInterceptors(new Wrapping());
    });
    const { status, type, body } = await app.get('/api/metrics');
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).toContain('# TYPE chronis_runs_total counter');
    expect(body).toContain('chronis_scheduler_up 1');
    expect((await app.get('/metrics')).status).toBe(404);
  });

  test('is not there without a path', async () => {
    app = await HttpApp.boot(platform, { imports: [ChronisMetricsModule.forRoot(), chronis()] });
    expect((await app.get('/metrics')).status).toBe(404);
  });

  test('is guarded by an instance', async () => {
    const guards = [{ canActivate: () => false }];
    app = await HttpApp.boot(platform, {
      imports: [ChronisMetricsModule.forRoot({ path: 'm', guards }), chronis()],
    });
    expect((await app.get('/m')).status).toBe(403);
  });

  test('is guarded by a class that needs something injected', async () => {
    const route = ChronisMetricsModule.forRootAsync({
      imports: [{ module: class Tokens {}, providers: [Token], exports: [Token] }],
      path: 'm',
      guards: [TokenGuard],
      useFactory: () => ({}),
    });
    app = await HttpApp.boot(platform, { imports: [route, chronis()] });
    expect((await app.get('/m')).status).toBe(403);
    expect((await app.get('/m', { authorization: 'let me in' })).status).toBe(200);
  });
});
