import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compiledTests, printedIn } from '../support/compiled.js';

let folder: string;
beforeAll(() => {
  folder = compiledTests();
}, 120_000);

const printed = (code: string): string => printedIn(folder, code);

test('where prom-client is not installed, the boot says what to install', () => {
  const door = (name: string) => JSON.stringify(join(folder, 'lib', name, 'index.js'));
  const message = printed(`require('reflect-metadata');
    const Module = require('node:module');
    const load = Module._load;
    Module._load = (name, ...others) => {
      if (name === 'prom-client') throw new Error("Cannot find module 'prom-client'");
      return load(name, ...others);
    };
    const { ChronisModule } = require(${door('')});
    const { ChronisMetricsModule } = require(${door('metrics')});
    const { NestFactory } = require('@nestjs/core');
    class AppModule {}
    const imports = [ChronisMetricsModule.forRoot(), ChronisModule.forRoot({ log: false })];
    require('@nestjs/common').Module({ imports })(AppModule);
    NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false }).then(
      (app) => (console.log('booted'), app.close()),
      (error) => console.log(error.message),
    );`);
  expect(message).toContain('needs prom-client: npm install prom-client@^15.1.3');
});

test('a process without these modules loads nothing of them, nobody listens to what is told often, and nothing measures', () => {
  const index = JSON.stringify(join(folder, 'lib', 'index.js'));
  const told = printed(`require('reflect-metadata');
    const { ChronisModule, ChronisEvents } = require(${index});
    const { NestFactory } = require('@nestjs/core');
    class AppModule {}
    require('@nestjs/common').Module({ imports: [ChronisModule.forRoot({ log: false })] })(AppModule);
    (async () => {
      const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
      const hears = app.get(ChronisEvents).hears('storage.answered');
      await app.close();
      const loaded = Object.keys(require.cache).filter((file) => /prom-client|[\\\\/]lib[\\\\/](metrics|health)[\\\\/]/.test(file));
      console.log(JSON.stringify({ hears, loaded }));
    })();`);
  expect(JSON.parse(told)).toEqual({ hears: false, loaded: [] });
});
