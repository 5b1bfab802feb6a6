// An application as `nest new` writes it, but for what listens and for the tests.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the file of its root module. `main.ts` says where jobs are kept. */
export function writeFreshApp(app) {
  const ending = app.type === 'module' ? '.js' : '';
  mkdirSync(join(app.dir, 'src'), { recursive: true });
  app.write(
    'nest-cli.json',
    JSON.stringify({ collection: '@nestjs/schematics', sourceRoot: 'src' }, null, 2),
  );
  app.write(
    'tsconfig.fresh.json',
    JSON.stringify({
      extends: './tsconfig.json',
      compilerOptions: { rootDir: 'src', outDir: 'fresh' },
      include: ['src'],
    }),
  );
  app.write('src/app.service.ts', service);
  app.write('src/app.module.ts', rootModule.replace('ENDING', ending));
  app.write('src/main.ts', main.replace('ENDING', ending));
  return join(app.dir, 'src/app.module.ts');
}

const service = `import { Injectable } from '@nestjs/common';

@Injectable()
export class AppService {}
`;

const rootModule = `import { Module } from '@nestjs/common';
import { AppService } from './app.serviceENDING';

@Module({
  imports: [],
  controllers: [],
  providers: [AppService],
})
export class AppModule {}
`;

const main = `import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { StorageAdapter } from 'nestjs-chronis';
import { AppModule } from './app.moduleENDING';

async function bootstrap() {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  console.log('ran on ' + app.get(StorageAdapter).kind);
  await app.close();
}
void bootstrap();
`;
