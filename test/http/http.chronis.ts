import type { INestApplication } from '@nestjs/common';
import { ChronisHttpModule, type ChronisHttpOptions, type ChronisHttpRoute } from '../../lib/http/index.js';
import { ChronisModule, MemoryStorage, SchedulerService } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { HttpApp, type Platform } from '../support/http.app.js';

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
  ): Promise<HttpChronis> {
    const clock = new ManualClock();
    const storage = new MemoryStorage({ clock });
    const imports = [
      ChronisHttpModule.forRoot(options),
      ChronisModule.forRoot({ storage, clock, log: false, autoStart: false, allowUnknownHandler: true }),
    ];
    return new HttpChronis(await HttpApp.boot(platform, { imports }, prepare), clock, storage);
  }

  get scheduler(): SchedulerService {
    return this.http.app.get(SchedulerService);
  }

  get(path: string, headers?: Record<string, string>) {
    return this.http.send('GET', `/chronis/${path}`, headers && { headers });
  }

  post(path: string, body?: unknown, headers?: Record<string, string>) {
    return this.http.send('POST', `/chronis/${path}`, { body, ...(headers && { headers }) });
  }

  close(): Promise<void> {
    return this.http.close();
  }
}
