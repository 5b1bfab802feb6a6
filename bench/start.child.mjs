// One start of an application, measured: its process is new. Prints a line of JSON.
import { createRequire } from 'node:module';

const [url, count] = [process.argv[2], Number(process.argv[3])];
const figures = {};

async function timed(name, work) {
  const begun = performance.now();
  const value = await work();
  figures[name] = performance.now() - begun;
  return value;
}

const door = (path) => import(new URL(`../dist/${path}`, import.meta.url));
const { NestFactory, Module, Injectable } = await timed('nest', async () => {
  await import('reflect-metadata');
  return { ...(await import('@nestjs/common')), ...(await import('@nestjs/core')) };
});
const { ChronisModule, Cron } = await timed('chronis', () => door('index.js'));
const { typeOrmLock, typeOrmStorage } = await timed('typeorm', () => door('typeorm/index.js'));
// The one that the package uses, not that of the peers.
const pg = createRequire(new URL('../package.json', import.meta.url))('pg');

let statements = 0;
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (...given) {
  statements++;
  return query.apply(this, given);
};

/** So many providers of ten methods each; `declare` is called with the class and the name of each. */
function modules(declare, imports) {
  const providers = Array.from({ length: count / 10 }, (_, index) => {
    const Provider = class {};
    Object.defineProperty(Provider, 'name', { value: `Provider${index}` });
    for (let method = 0; method < 10; method++) {
      Object.defineProperty(Provider.prototype, `method${method}`, { value: () => undefined, writable: true, configurable: true });
      declare(Provider, `method${method}`);
    }
    Injectable()(Provider);
    return Provider;
  });
  class AppModule {}
  Module({ providers, imports })(AppModule);
  return AppModule;
}

const start = (module) => NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] });
const plain = modules(() => undefined, []);
const bare = await timed('plain', () => start(plain));
await bare.close();
const chronis = ChronisModule.forRoot({ storage: typeOrmStorage({ url }), lock: typeOrmLock() });
const decorated = await timed('decorators', async () =>
  modules(
    (type, name) =>
      Cron('0 9 * * 1-5', { timeZone: 'Asia/Seoul' })(type.prototype, name, Object.getOwnPropertyDescriptor(type.prototype, name)),
    [chronis],
  ),
);
const app = await timed('start', () => start(decorated));
figures.statements = statements;
await app.close();
console.log(JSON.stringify(figures));
