import type { INestApplication, Provider } from '@nestjs/common';
import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { chronoschedRoutes } from '../../lib/http/chronosched/chronosched.routes.js';
import { allRoutes } from '../../lib/http/routes/all.routes.js';
import type { Route } from '../../lib/http/route.js';
import { ChronisHttpModule, type ChronisHttpOptions, type ChronisHttpRoute } from '../../lib/http/index.js';
import { ChronisModule, MemoryStorage, SchedulerService, type ChronisOptions } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { HttpApp, type Platform } from '../support/http.app.js';

const quiet = { log: false, autoStart: false, allowUnknownHandler: true };

/** An application with the API at `/chronis`, on a clock that stands still, which runs nothing. */
export class HttpChronis {
  private constructor(
    readonly http: HttpApp,
    readonly clock: ManualClock,
    readonly storage: MemoryStorage,
  ) {}

  static async boot(
    platform: Platform,
    options: ChronisHttpOptions & ChronisHttpRoute = {},
    prepare?: (app: INestApplication) => unknown,
    providers: Provider[] = [],
    more: ChronisOptions = {},
  ): Promise<HttpChronis> {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    const imports = [
      // As the clock stands still, an answer would be shared for ever.
      ChronisHttpModule.forRoot({ shareAnswers: false, ...options }),
      ChronisModule.forRoot({ ...quiet, storage, clock, ...more }),
    ];
    return new HttpChronis(await HttpApp.boot(platform, { imports, providers }, prepare), clock, storage);
  }

  get scheduler(): SchedulerService {
    return this.http.app.get(SchedulerService);
  }

  async get(path: string, headers?: Record<string, string>) {
    return fitting('GET', path, await this.http.send('GET', `/chronis/${path}`, headers && { headers }));
  }

  async post(path: string, body?: unknown, headers?: Record<string, string>) {
    const sent = this.http.send('POST', `/chronis/${path}`, { body, ...(headers && { headers }) });
    return fitting('POST', path, await sent);
  }

  /** By the paths of Chronosched. */
  async chronosched(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
    const sent = this.http.send(method, `/api/v1/${path}`, { body, ...(headers && { headers }) });
    return fitting(method, path, await sent, chronoschedChecks);
  }

  close(): Promise<void> {
    return this.http.close();
  }
}

const ajv = new Ajv2020({ strict: false });
(addFormats as unknown as (to: Ajv2020) => void)(ajv);
const checksOf = (routes: readonly Route[]) =>
  routes.map(({ method, path, answer, name }) => ({
    method,
    name,
    path: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`),
    check: answer === undefined ? null : ajv.compile(answer),
  }));
const ownChecks = checksOf(allRoutes);
const chronoschedChecks = checksOf(chronoschedRoutes);
const problem: ValidateFunction = ajv.compile({
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
});

/** What every test gets fits what the document says of it. `path`: below that of the module. */
export function fitting<A extends { status: number; headers: Headers; json: any }>(
  method: string,
  path: string,
  answer: A,
  checks = ownChecks,
): A {
  const route = checks.find((each) => each.method === method && each.path.test(path.replace(/\?.*$/s, '')));
  const check = answer.status < 300 ? (route?.check ?? null) : problem;
  // What the platform refuses by itself is its own.
  const isOurs = answer.status < 300 || answer.headers.get('content-type')?.includes('problem+json');
  if (route === undefined || check === null || !isOurs) return answer;
  check(answer.json);
  expect([route.name, check.errors ?? null]).toEqual([route.name, null]);
  return answer;
}
