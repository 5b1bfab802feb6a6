// An application with the API, metrics and probes that runs no jobs, in a process of its own. Tells what statements it has sent.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChronisHealthModule } from '../../dist/health/index.js';
import { ChronisHttpModule } from '../../dist/http/index.js';
import { ChronisModule } from '../../dist/index.js';
import { ChronisMetricsModule } from '../../dist/metrics/index.js';
import { typeOrmStorage } from '../../dist/typeorm/index.js';

const [url, readTimeout, shared] = process.argv.slice(2);
const shareAnswers = shared === 'false' ? false : shared;
// The one that the package uses: the peers have another.
const pg = createRequire(new URL('../../package.json', import.meta.url))('pg');
let sent = [];
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (config, values, ...rest) {
  const text = typeof config === 'string' ? config : config?.text;
  if (text !== undefined) sent.push({ text, values: config.values ?? (Array.isArray(values) ? values : []) });
  return query.call(this, config, values, ...rest);
};

class ApiModule {}
Module({
  imports: [
    ChronisHttpModule.forRoot({
      path: 'chronis',
      guards: [{ canActivate: () => true }],
      readTimeout,
      shareAnswers,
    }),
    ChronisMetricsModule.forRoot({ path: 'metrics' }),
    ChronisHealthModule.forRoot({ path: 'health' }),
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url }),
      autoStart: false,
      allowUnknownHandler: true,
      log: false,
    }),
  ],
})(ApiModule);
const app = await NestFactory.create(ApiModule, { logger: ['error'], abortOnError: false });
await app.listen(0, '127.0.0.1');

process.on('message', () => {
  process.send({ sent });
  sent = [];
});
process.on('disconnect', () => app.close().finally(() => process.exit()));
process.send({ url: await app.getUrl() });
