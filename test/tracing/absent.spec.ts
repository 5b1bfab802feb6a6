import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { context, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChronisModule, SchedulerService, type RunContext } from '../../lib/index.js';
import { ChronisTesting } from '../../lib/testing/index.js';
import { ChronisTracingModule } from '../../lib/tracing/index.js';
import { compiledTests, printedIn } from '../support/compiled.js';

let folder: string;
beforeAll(() => {
  folder = compiledTests();
}, 120_000);
afterAll(() => {
  trace.disable();
  context.disable();
});

test('nothing but the door of traces knows OpenTelemetry', () => {
  const lib = new URL('../../lib/', import.meta.url);
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const knowing = files.filter((file) => /['"]@opentelemetry/.test(readFileSync(new URL(file, lib), 'utf8')));
  expect(knowing.length).toBeGreaterThan(0);
  expect(knowing.filter((file) => !/^tracing[\\/]/.test(file))).toEqual([]);
});

test('where @opentelemetry/api is not installed, the boot says what to install, and without the module it boots', () => {
  const door = (name: string) => JSON.stringify(join(folder, 'lib', name, 'index.js'));
  const [without, withModule] = printedIn(
    folder,
    `require('reflect-metadata');
    const Module = require('node:module');
    const load = Module._load;
    Module._load = (name, ...others) => {
      if (name.startsWith('@opentelemetry')) throw new Error("Cannot find module '@opentelemetry/api'");
      return load(name, ...others);
    };
    const { ChronisModule } = require(${door('')});
    const { ChronisTracingModule } = require(${door('tracing')});
    const { NestFactory } = require('@nestjs/core');
    const boot = async (imports) => {
      class AppModule {}
      require('@nestjs/common').Module({ imports })(AppModule);
      const options = { logger: false, abortOnError: false };
      const app = await NestFactory.createApplicationContext(AppModule, options);
      await app.close();
    };
    const said = (imports) => boot(imports).then(() => console.log('booted'), (error) => console.log(error.message));
    said([ChronisModule.forRoot({ log: false })]).then(() =>
      said([ChronisTracingModule.forRoot(), ChronisModule.forRoot({ log: false })]));`,
  ).split('\n');
  expect(without).toBe('booted');
  expect(withModule).toContain('needs @opentelemetry/api: npm install @opentelemetry/api@^1.9.0');
});

test('an application without an SDK runs its jobs, and nothing is carried', async () => {
  const seen: unknown[] = [];
  const chronis = await ChronisTesting.create({
    imports: [ChronisTracingModule.forRoot(), ChronisModule.forRoot({ log: false })],
  });
  try {
    const scheduler = chronis.app.get(SchedulerService);
    scheduler.registerHandler('charge', ({ traceParent, attempt }: RunContext) => {
      seen.push([traceParent, attempt]);
      if (attempt === 1) throw new Error('no card');
    });
    await scheduler.createJob({ handler: 'charge', in: '1m', maxRetries: 1 });
    await chronis.advanceBy('1h');
  } finally {
    await chronis.close();
  }
  expect(seen).toEqual([
    [null, 1],
    [null, 2],
  ]);
});
