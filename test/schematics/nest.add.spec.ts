import { describe, expect, test } from 'vitest';
import { nestAdd, type NestAddOptions } from '../../lib/schematics/nest.add.js';
import type { SchematicContext, Tree } from '../../lib/schematics/tree.js';
import { wrong } from '../support/refusal.js';

/** An application in memory, as the Nest CLI hands one to a schematic. */
class App implements Tree {
  readonly logged: string[] = [];
  readonly tasks: object[] = [];

  constructor(readonly files: Record<string, string>) {}

  exists(path: string): boolean {
    return path in this.files;
  }

  read(path: string): Buffer | null {
    return this.exists(path) ? Buffer.from(this.files[path]!) : null;
  }

  overwrite(path: string, content: string): void {
    this.files[path] = content;
  }

  getDir(folder: string): ReturnType<Tree['getDir']> {
    const paths = Object.keys(this.files).filter((path) => path.startsWith(`${folder}/`));
    return { visit: (visitor) => paths.forEach((path) => visitor(path)) };
  }

  add(options: NestAddOptions = { storage: 'memory' }): string {
    const log = (message: string): void => void this.logged.push(message);
    const context: SchematicContext = {
      logger: { info: log, warn: log },
      addTask: (task) => this.tasks.push(task.toConfiguration()),
    };
    nestAdd(options)(this, context);
    return this.files['src/app.module.ts']!;
  }
}

/** As `nest new` writes it. */
const fresh = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import { AppService } from './app.service';

@Module({
  imports: [],
  controllers: [AppController],
  providers: [AppService],
})
export class AppModule {}
`;

const main = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}
bootstrap();
`;

const manifest = `${JSON.stringify({ name: 'app', dependencies: { '@nestjs/core': '^11.0.0', rxjs: '^7.8.1' } }, null, 2)}\n`;

function newApp(module = fresh, others: Record<string, string> = {}): App {
  return new App({ 'src/main.ts': main, 'src/app.module.ts': module, 'package.json': manifest, ...others });
}

/** What becomes of these imports. */
const withImports = (text: string): string =>
  newApp(fresh.replace('imports: [],', text)).add().split('@Module')[1]!.split('  controllers')[0]!;

describe('a new application', () => {
  test('gets PostgreSQL unless it says otherwise, with the packages for it', () => {
    const app = newApp();
    expect(app.add({})).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import { AppService } from './app.service';
import { ChronisModule } from 'nestjs-chronis';
import { typeOrmLock, typeOrmStorage } from 'nestjs-chronis/typeorm';

@Module({
  imports: [
    ChronisModule.forRoot({
      storage: typeOrmStorage({ url: process.env.DATABASE_URL! }),
      lock: typeOrmLock(),
    }),
  ],
  controllers: [AppController],
  providers: [AppService],
})
export class AppModule {}
`);
    expect(JSON.parse(app.files['package.json']!)).toEqual({
      name: 'app',
      dependencies: {
        ...{ '@nestjs/core': '^11.0.0', pg: expect.stringMatching(/^\^8/) as string, rxjs: '^7.8.1' },
        typeorm: expect.stringContaining('0.3') as string,
      },
    });
    expect(app.tasks).toEqual([
      { name: 'node-package', options: { command: 'install', quiet: true, packageManager: 'npm' } },
    ]);
    expect(app.logged.join()).toContain('set DATABASE_URL');
  });

  test.each([
    ['sqlite', "storage: sqliteStorage({ path: 'jobs.db' })", "from 'nestjs-chronis/sqlite';"],
    ['file', "storage: fileStorage({ path: 'jobs.yaml' })", "from 'nestjs-chronis/file';"],
    ['memory', 'imports: [ChronisModule.forRoot()],', "from 'nestjs-chronis';"],
  ] as const)('keeps jobs in %s', (storage, option, line) => {
    const text = newApp().add({ storage });
    expect(text).toContain(option);
    expect(text).toContain(line);
  });

  test('is not changed the second time, whatever is asked for', () => {
    const app = newApp();
    const text = app.add({ storage: 'file' });
    const before = { ...app.files };
    expect(app.add({ storage: 'postgres' })).toBe(text);
    expect(app.files).toEqual(before);
    expect(app.logged.at(-1)).toBe(
      'src/app.module.ts has ChronisModule.forRoot() already: nothing was changed.',
    );
  });

  test('is not changed where a module has it by a name of its own', () => {
    const has = fresh
      .replace('\n@Module', "import { ChronisModule as Cm } from 'nestjs-chronis';\n\n@Module")
      .replace('imports: []', 'imports: [Cm.forRootAsync({ useFactory: () => ({}) })]');
    const app = newApp(has);
    expect(app.add()).toBe(has);
    expect(app.logged).toEqual([
      'src/app.module.ts has ChronisModule.forRoot() already: nothing was changed.',
    ]);
    const ofOthers = has.replace("'nestjs-chronis'", "'./others'");
    expect(newApp(ofOthers).add()).toContain('ChronisModule.forRoot()');
  });

  test('is not changed where another module has it; a comment or a text is none', () => {
    const other = {
      'src/jobs.module.ts': '@Module({ imports: [ChronisModule\n  .forRootAsync({})] }) class A {}',
    };
    expect(newApp(fresh, other).add()).toBe(fresh);
    const words = '// ChronisModule.forRoot()\nconst text = `ChronisModule.forRoot()`;\n';
    expect(newApp(fresh, { 'src/notes.ts': words }).add()).not.toBe(fresh);
  });

  test('has installed what is missing only, by its own package manager, or is told of it', () => {
    const has = JSON.stringify({ dependencies: { pg: '8.0.0' }, devDependencies: { typeorm: '1.0.0' } });
    const full = newApp(fresh, { 'package.json': has });
    full.add({ storage: 'postgres' });
    expect([full.tasks, full.files['package.json']]).toEqual([[], has]);
    const pnpm = newApp(fresh, { 'pnpm-lock.yaml': '' });
    pnpm.add({ storage: 'postgres' });
    expect(pnpm.tasks).toMatchObject([{ options: { packageManager: 'pnpm' } }]);
    const skipping = newApp();
    skipping.add({ storage: 'postgres', skipInstall: true });
    expect([skipping.tasks, skipping.logged[0]]).toEqual([[], 'To be installed: pg, typeorm.']);
  });
});

describe('the module becomes the last of the imports', () => {
  test.each([
    ['of one line', 'imports: [A, B],', 'imports: [A, B, ChronisModule.forRoot()],'],
    [
      'of several',
      'imports: [\n    A,\n    B.forRoot({ a: [1] }),\n  ],',
      'imports: [\n    A,\n    B.forRoot({ a: [1] }),\n    ChronisModule.forRoot(),\n  ],',
    ],
    [
      'without a comma at their end',
      'imports: [\n    A,\n    B\n  ],',
      'imports: [\n    A,\n    B,\n    ChronisModule.forRoot()\n  ],',
    ],
    [
      'with comments, which stay where they are',
      'imports: [\n    A, // the first, B]\n    B, // the last: [\n    /* C, */\n  ],',
      'imports: [\n    A, // the first, B]\n    B, // the last: [\n    ChronisModule.forRoot(),\n    /* C, */\n  ],',
    ],
    ['with tabs', 'imports: [\n\t\tA,\n\t],', 'imports: [\n\t\tA,\n\t\tChronisModule.forRoot(),\n\t],'],
    [
      'with brackets in texts and patterns',
      "imports: [A.forRoot({ match: /[\\]/]['\"]/, text: ']', other: `${[']']}` })],",
      "imports: [A.forRoot({ match: /[\\]/]['\"]/, text: ']', other: `${[']']}` }), ChronisModule.forRoot()],",
    ],
  ])('%s', (_, before, after) => {
    expect(withImports(before).trim()).toBe(`({\n  ${after}`);
  });

  test('of a module that has none yet', () => {
    const text = newApp(fresh.replace('  imports: [],\n', '')).add({ storage: 'file' });
    expect(text).toContain(`@Module({
  imports: [
    ChronisModule.forRoot({
      storage: fileStorage({ path: 'jobs.yaml' }),
    }),
  ],
  controllers: [AppController],`);
    expect(newApp('@Module({ providers: [A] })\nexport class AppModule {}\n').add()).toContain(
      '@Module({ imports: [ChronisModule.forRoot()], providers: [A] })',
    );
    expect(newApp('@Module({})\nexport class AppModule {}\n').add()).toContain(
      '@Module({\n  imports: [\n    ChronisModule.forRoot(),\n  ],\n})\nexport class AppModule {}',
    );
  });

  test('in the quotes, without the semicolons and with the line ends of the file', () => {
    const own = fresh.replaceAll("'", '"').replaceAll(';', '').replaceAll('\n', '\r\n');
    const text = newApp(own).add({ storage: 'file' });
    expect(text).toContain('import { ChronisModule } from "nestjs-chronis"\r\n');
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
  });

  test('of the class that main.ts makes the application from', () => {
    const two = `import { Module } from '@nestjs/common';\n\n@Module({ imports: [A] })\nclass Inner {}\n\n@Module({ imports: [Inner] })\nexport class ShopModule {}\n`;
    const app = newApp(fresh, {
      'src/main.ts': main
        .replace("AppModule } from './app.module'", "ShopModule } from './shop/shop.module.js'")
        .replace('create(AppModule', 'createApplicationContext<Shop>(ShopModule'),
      'src/shop/shop.module.ts': two,
    });
    app.add();
    expect(app.files['src/app.module.ts']).toBe(fresh);
    expect(app.files['src/shop/shop.module.ts']).toContain('@Module({ imports: [A] })\nclass Inner');
    expect(app.files['src/shop/shop.module.ts']).toContain(
      '@Module({ imports: [Inner, ChronisModule.forRoot()] })\nexport class ShopModule',
    );
  });

  test('of the file that is named, in the folder that the Nest CLI names', () => {
    const app = new App({ 'apps/shop/src/root.ts': fresh });
    app.add({ sourceRoot: 'apps/shop/src', module: './apps/shop/src/root.ts', storage: 'memory' });
    expect(app.files['apps/shop/src/root.ts']).toContain('ChronisModule.forRoot()');
  });

  test('and imports what is not imported yet', () => {
    const has = fresh.replace(
      '\n@Module',
      "import { ChronisModule, Cron } from 'nestjs-chronis';\n\n@Module",
    );
    const text = newApp(has).add({ storage: 'file' });
    expect(text.match(/ChronisModule.* from 'nestjs-chronis'/g)).toHaveLength(1);
    expect(text).toContain("import { fileStorage } from 'nestjs-chronis/file';");
  });

  test.each([
    ['by another name', "import { ChronisModule as Cm, Cron } from 'nestjs-chronis';"],
    ['as a type', "import type { ChronisModule } from 'nestjs-chronis';"],
    ['as a type among others', "import { Cron, type ChronisModule } from 'nestjs-chronis';"],
  ])('and imports what is imported %s only', (_, line) => {
    const text = newApp(fresh.replace('\n@Module', `${line}\n\n@Module`)).add();
    expect(text).toContain("\nimport { ChronisModule } from 'nestjs-chronis';\n");
  });
});

describe('the root module is found', () => {
  const root = { 'src/root/app.module.ts': fresh };
  const by = (from: string, name = 'AppModule'): string =>
    main
      .replace(
        "{ AppModule } from './app.module'",
        `${name === 'AppModule' ? '{ AppModule }' : name} from '${from}'`,
      )
      .replace('create(AppModule', name.includes('Root') ? 'create(Root' : 'create(AppModule');

  test.each<[string, string, Record<string, string>]>([
    ['imported by another name', by('./root/app.module', '{ AppModule as Root }'), {}],
    [
      'that a barrel hands on',
      by('./root'),
      { 'src/root/index.ts': "export { AppModule } from './app.module';" },
    ],
    [
      'that a barrel hands on with all',
      by('./root'),
      { 'src/root/index.ts': "export * from './app.module.js'" },
    ],
    [
      'by several barrels, of which one names another in a circle',
      by('./barrel', '{ Root }'),
      {
        'src/barrel.ts': "export * from './barrel';\nexport { Start as Root } from './root/index.js';\n",
        'src/root/index.ts':
          "export * from './none';\nexport * from '../barrel';\nexport { AppModule as Start } from './app.module';",
      },
    ],
    [
      'that a barrel imports and exports',
      by('./root', 'Root'),
      { 'src/root/index.ts': "import { AppModule } from './app.module';\nexport { AppModule as default };" },
    ],
    [
      'behind one in a comment and one in a text',
      `// import { AppModule } from './none';\nconst text = "import { AppModule } from './none'";\n${by('./root/app.module')}`,
      { 'src/none.ts': '' },
    ],
  ])('%s', (_, mainText, others) => {
    const app = new App({ 'src/main.ts': mainText, ...root, ...others, 'src/app.module.ts': fresh });
    app.add();
    expect(app.files['src/root/app.module.ts']).toContain('ChronisModule.forRoot()');
    expect(app.files['src/app.module.ts']).toBe(fresh);
  });
});

describe('refused, with nothing changed and what to do instead, is', () => {
  test.each<[string, Record<string, string>, object, string]>([
    [
      'an application without a root module',
      { 'src/index.ts': 'run();' },
      {},
      'The root module was not found: src/main.ts says none, and there is no src/app.module.ts. Name its file by --module.',
    ],
    [
      'a file that is not there',
      { 'src/app.module.ts': fresh },
      { module: 'src/gone.ts' },
      'There is no file src/gone.ts. Name the file of the root module: --module src/app.module.ts',
    ],
    [
      'an application whose root module is elsewhere',
      { 'src/index.ts': 'run();', 'src/shop/shop.module.ts': fresh },
      {},
      'there is no src/app.module.ts. Name its file: --module src/shop/shop.module.ts',
    ],
    [
      'a file that is not there, with no module in any',
      { 'src/index.ts': 'run();' },
      { module: 'src/gone.ts' },
      'There is no file src/gone.ts. Name the file of the root module by --module.',
    ],
    [
      'a module that is imported in a way that is not followed',
      {
        'src/main.ts': main.replace('./app.module', './root'),
        'src/root/index.ts': "import * as all from './app.module';\nexport const AppModule = all.AppModule;",
        'src/root/app.module.ts': fresh,
      },
      {},
      'src/root/index.ts has no @Module({ … }) of AppModule whose options stand there, so nothing was changed. Add ChronisModule.forRoot() by hand, as the last of the imports of the root module; or name its file: --module src/root/app.module.ts',
    ],
    [
      'a file without a module',
      { 'src/app.module.ts': 'export class AppModule {}' },
      {},
      'src/app.module.ts has no @Module({ … }) whose options stand there, so nothing was changed. Add ChronisModule.forRoot() by hand, as the last of the imports of the root module',
    ],
    [
      'a list that is made elsewhere',
      { 'src/app.module.ts': '@Module({ imports: modules })\nexport class AppModule {}' },
      { storage: 'file' },
      'src/app.module.ts has "imports" that are no list which stands there, so nothing was changed. Add ChronisModule.forRoot({ storage: fileStorage({ path: \'jobs.yaml\' }) }) by hand',
    ],
    [
      'a list that goes on behind its bracket',
      { 'src/app.module.ts': '@Module({ imports: [A].concat(others) })\nexport class AppModule {}' },
      {},
      'src/app.module.ts has "imports" that are more than a list which stands there',
    ],
    [
      'a storage that there is not',
      { 'src/app.module.ts': fresh },
      { storage: 'redis' },
      'storage: there is no "redis". There are: postgres, sqlite, file, memory.',
    ],
  ])('%s', (_, files, options, message) => {
    const app = new App({ ...files });
    expect(() => app.add(wrong({ storage: 'memory', ...options }))).toThrow(message);
    const [, named] = /--module (\S+)$/.exec(message) ?? [];
    if (named !== undefined) expect(files).toHaveProperty([named]);
    expect(app.files).toEqual(files);
  });
});
