import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compiledTests, printedIn } from '../support/compiled.js';
import { platforms } from '../support/http.app.js';

let folder: string;
beforeAll(() => {
  folder = compiledTests();
}, 120_000);

const adapters = {
  express: `new (require('@nestjs/platform-express').ExpressAdapter)()`,
  fastify: `new (require('@nestjs/platform-fastify').FastifyAdapter)()`,
};

/** What a process prints that has none of the packages that are optional, as JSON by line. */
function printed(platform: keyof typeof adapters, http: string): any[] {
  const door = (name: string) => JSON.stringify(join(folder, 'lib', name, 'index.js'));
  return printedIn(
    folder,
    `require('reflect-metadata');
    const Module = require('node:module');
    const load = Module._load;
    const asked = [];
    Module._load = (name, parent, ...others) => {
      if (/^(@nestjs\\/(swagger|terminus)|prom-client|@opentelemetry|swagger-ui)/.test(name)) {
        if (/[\\\\/]lib[\\\\/]/.test(parent?.filename ?? '')) asked.push(name);
        throw Object.assign(new Error('Cannot find module ' + name), { code: 'MODULE_NOT_FOUND' });
      }
      return load(name, parent, ...others);
    };
    const { ChronisModule } = require(${door('')});
    const { ChronisHttpModule } = require(${door('http')});
    const { ChronisHealthModule, ChronisHealthIndicator } = require(${door('health')});
    const { NestFactory } = require('@nestjs/core');
    class AppModule {}
    (async () => {
      const imports = [
        ChronisHttpModule.forRoot(${http}), ChronisHealthModule.forRoot({ path: 'health' }),
        ChronisModule.forRoot({ log: false, autoStart: false }),
      ];
      require('@nestjs/common').Module({ imports })(AppModule);
      const app = await NestFactory.create(AppModule, ${adapters[platform]}, { logger: false, abortOnError: false });
      await app.listen(0, '127.0.0.1');
      const { port } = app.getHttpServer().address();
      for (const path of ['chronis/jobs', 'chronis/openapi.json', 'health', 'health/ready']) {
        const answer = await fetch('http://127.0.0.1:' + port + '/' + path);
        console.log(JSON.stringify({ path, status: answer.status, body: await answer.json() }));
      }
      console.log(JSON.stringify(await app.get(ChronisHealthIndicator, { strict: false }).ready()));
      console.log(JSON.stringify(asked));
      await app.close();
    })().catch((error) => console.log(JSON.stringify({ said: error.message })));`,
  )
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe.each(platforms)(
  'on %s, without @nestjs/swagger, @nestjs/terminus, prom-client and @opentelemetry/api',
  (platform) => {
    test('REST answers, with its document, and so do the probes and the indicator; none of them is asked for', () => {
      const [jobs, document, health, ready, indicator, asked] = printed(platform, '');
      expect(jobs).toEqual({ path: 'chronis/jobs', status: 200, body: { items: [], nextCursor: null } });
      expect(document).toMatchObject({
        status: 200,
        body: { openapi: expect.stringMatching(/^3\.1/) as string },
      });
      expect([health.status, ready.status]).toEqual([200, 200]);
      expect(indicator).toEqual({ chronis: { status: 'up' } });
      expect(asked).toEqual([]);
    });

    test('the routes in the document of the application are refused, with what to install', () => {
      const [{ said }] = printed(platform, `{ openapi: 'app' }`);
      expect(said).toMatch(/^openapi: .*@nestjs\/swagger/);
    });
  },
);
