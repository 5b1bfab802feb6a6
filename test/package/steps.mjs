// How an application is compiled, bundled and tested: by the recipes of the guides, to the letter.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { writeFreshApp } from './fresh.app.mjs';

const root = resolve(import.meta.dirname, '../..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const sources = ['app.ts', 'lifecycle.ts', 'machinery.ts', 'watering.ts'];

/** The files of an application: its folder is inside the one where everything is installed. */
export function write(app) {
  mkdirSync(app.dir, { recursive: true });
  for (const file of sources) cpSync(join(import.meta.dirname, file), join(app.dir, file));
  writeFileSync(join(app.dir, 'package.json'), JSON.stringify({ private: true, type: app.type }));
  const compilerOptions = {
    ...{ target: 'es2021', strict: true, esModuleInterop: true, outDir: 'out', rootDir: '.' },
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true, types: ['node'] },
    isolatedModules: true,
    // As `nest new` of that time wrote it: the compiler of Nest 10 does not read "exports".
    ...(app.release === 10 && app.type === 'commonjs'
      ? { module: 'commonjs', moduleResolution: 'node' }
      : { module: 'nodenext' }),
    // The types of others are not made for a compiler as old as that.
    skipLibCheck: app.release === 10,
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(join(app.dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
}

/** Of what Nest may load, for ncc under Plug'n'Play, which refuses what is not there. */
const missing = [
  ...[
    'class-transformer',
    'class-transformer/storage',
    'class-validator',
    'ajv',
    'ajv/dist/2020.js',
    'ajv-formats',
  ],
  ...['@nestjs/platform-express'],
  ...['@nestjs/microservices', '@nestjs/microservices/microservices-module'],
  ...['@nestjs/websockets', '@nestjs/websockets/socket-module'],
];

export const steps = {
  async tsc(app) {
    await app.tool('typescript/bin/tsc', '-p', '.');
    await app.start('out/app.js');
  },

  /** Of the releases that are on their platforms: Express 4 and 5, Fastify 4 and 5. */
  async http(app) {
    cpSync(join(import.meta.dirname, 'http.ts'), join(app.dir, 'http.ts'));
    await app.tool('typescript/bin/tsc', '-p', '.');
    const printed = await app.node('out/http.js');
    if (printed !== 'ran over HTTP') throw new Error(`It printed ${printed}`);
  },

  /** Into an application as `nest new` writes it, twice, which is once. */
  async 'nest add'(app) {
    const moduleFile = writeFreshApp(app);
    const add = () =>
      app.tool('@nestjs/cli/bin/nest.js', 'add', 'nestjs-chronis', '--skip-install', '--storage', 'file');
    await add();
    const added = readFileSync(moduleFile, 'utf8');
    if (!added.includes("storage: fileStorage({ path: 'jobs.yaml' }),")) throw new Error(`It made ${added}`);
    // It takes its time, and is the same in both formats.
    const again = app.type === 'commonjs' ? await add() : 'nothing was changed';
    if (!again.includes('nothing was changed') || readFileSync(moduleFile, 'utf8') !== added)
      throw new Error(`The second time it said ${again}`);
    await app.tool('typescript/bin/tsc', '-p', 'tsconfig.fresh.json');
    const printed = await app.node('fresh/main.js');
    if (printed !== 'ran on file') throw new Error(`It printed ${printed}`);
  },

  async swc(app) {
    app.write('compile.cjs', compiler(app.type === 'module' ? 'nodenext' : 'commonjs'));
    await app.node('compile.cjs', ...sources);
    await app.start('out.swc/app.js');
  },

  /** As `nest build --webpack` does it: what is installed stays where it is. */
  async webpack(app) {
    const isModule = app.type === 'module';
    app.write(
      'webpack.external.cjs',
      `module.exports = {
        mode: 'none', target: 'node20', entry: './out/app.js', externals: [/^[^.\\/]/],
        externalsType: '${isModule ? 'module' : 'commonjs'}', experiments: { outputModule: ${isModule} },
        output: { path: __dirname + '/external', filename: 'app.js', module: ${isModule} },
      };`,
    );
    await app.tool('webpack-cli/bin/cli.js', '--config', 'webpack.external.cjs', '--stats', 'errors-only');
    await app.start('external/app.js');
  },

  async 'webpack, bundled'(app) {
    app.write('webpack.config.cjs', recipe('bundlers', 'webpack.config.cjs'));
    await app.tool('webpack-cli/bin/cli.js', '--stats', 'errors-only');
    await app.startAlone('app.cjs');
  },

  async esbuild(app) {
    const isModule = app.type === 'module';
    const text = recipe('bundlers', 'esbuild.config.mjs');
    app.write('esbuild.config.mjs', text.replace('const esm = false', `const esm = ${isModule}`));
    await app.node('esbuild.config.mjs');
    await app.startAlone(isModule ? 'app.mjs' : 'app.cjs');
  },

  async ncc(app) {
    const externals = app.manager === 'yarn' ? missing.flatMap((name) => ['-e', name]) : [];
    await app.tool('@vercel/ncc/dist/ncc/cli.js', 'build', 'out/app.js', '-o', 'bundle', '-q', ...externals);
    if (app.type === 'module') {
      app.write('ncc.banner.mjs', recipe('bundlers', 'ncc.banner.mjs'));
      await app.node('ncc.banner.mjs');
    }
    await app.startAlone('index.js');
  },

  /** As the generator for Nest writes it. */
  async 'Nx, webpack'(app) {
    app.write(
      'webpack.nx.cjs',
      `const { NxAppWebpackPlugin } = require('@nx/webpack/app-plugin');
      module.exports = { output: { path: __dirname + '/nx' }, plugins: [new NxAppWebpackPlugin({
        target: 'node', compiler: 'tsc', main: './app.ts', tsConfig: './tsconfig.json',
        optimization: false, outputHashing: 'none', generatePackageJson: false,
      })] };`,
    );
    const name = basename(app.dir);
    await buildByNx(app, '@nx/webpack:webpack', {
      ...{ target: 'node', compiler: 'tsc', main: `${name}/app.ts` },
      ...{ outputPath: `${name}/nx`, webpackConfig: `${name}/webpack.nx.cjs` },
    });
    await app.start('nx/main.js');
  },

  /** Of what tsc has written, as it writes no metadata of decorators itself. */
  async 'Nx, esbuild'(app) {
    await app.tool('typescript/bin/tsc', '-p', '.');
    const name = basename(app.dir);
    await buildByNx(app, '@nx/esbuild:esbuild', {
      ...{ main: `${name}/out/app.js`, outputPath: `${name}/nx.esbuild`, platform: 'node' },
      ...{ bundle: true, thirdParty: false, format: ['cjs'], skipTypeCheck: true },
      esbuildOptions: { keepNames: true, outExtension: { '.js': '.cjs' } },
    });
    await app.start('nx.esbuild/app.cjs');
  },

  async vitest(app) {
    writeSpec(app, (text) => text);
    if (app.manager === 'yarn')
      app.write('vitest.config.mjs', recipe('testing', 'vitest.config.mjs', 'unplugin-swc'));
    await app.spec('vitest/vitest.mjs', ['run', '--root', '.', '--testTimeout=60000', '--hookTimeout=60000']);
  },

  /** Up to Nest 11 with what `nest new` writes; in ES modules as the guide of ts-jest has it. */
  async 'ts-jest'(app) {
    if (app.type === 'module') {
      writeSpec(app, forJest);
      app.write('jest.config.cjs', recipe('testing', 'jest.config.cjs', 'default-esm'));
      await app.spec('jest/bin/jest.js', ['--ci', '--testTimeout=60000'], {
        NODE_OPTIONS: '--experimental-vm-modules',
      });
      return;
    }
    writeSpec(app, (text) => forJest(text).replace('./watering.js', './watering'));
    const template = `module.exports = { rootDir: '.', moduleFileExtensions: ['js', 'json', 'ts'], testRegex: '.*\\\\.spec\\\\.ts$', transform: { '^.+\\\\.(t|j)s$': 'ts-jest' }, testEnvironment: 'node' };`;
    app.write(
      'jest.config.cjs',
      app.release < 12 ? template : recipe('testing', 'jest.config.cjs', 'ts-jest'),
    );
    await app.spec('jest/bin/jest.js', ['--ci', '--testTimeout=60000']);
  },

  async '@swc/jest'(app) {
    writeSpec(app, forJest);
    app.write('jest.config.cjs', recipe('testing', 'jest.config.cjs', 'decoratorMetadata'));
    await app.spec('jest/bin/jest.js', ['--ci', '--testTimeout=60000']);
  },
};

/** Its daemon and its cloud left out. */
async function buildByNx(app, executor, options) {
  const name = basename(app.dir);
  const build = { executor, options: { tsConfig: `${name}/tsconfig.json`, ...options } };
  app.write('../nx.json', '{}');
  app.write('project.json', JSON.stringify({ name, projectType: 'application', targets: { build } }));
  const env = { NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false' };
  await app.toolIn(env, 'nx/dist/bin/nx.js', 'build', name);
}

function writeSpec(app, adapt) {
  app.write('watering.spec.ts', adapt(read('test/package/watering.tests.ts')));
}

function forJest(text) {
  return text.replace("'vitest'", "'@jest/globals'");
}

/** The file of this name that a guide shows; of several the one with a word. */
function recipe(guide, name, word = '') {
  const blocks = read(`docs/guides/${guide}.md`).matchAll(/```js\n([^]*?)```/g);
  const found = [...blocks]
    .map(([, text]) => text)
    .find((text) => text.startsWith(`// ${name}\n`) && text.includes(word));
  if (found === undefined) throw new Error(`The guide ${guide} has no ${name} with ${word}.`);
  return found;
}

function compiler(type) {
  return `const { transformFileSync } = require('@swc/core');
    const { mkdirSync, writeFileSync } = require('node:fs');
    const jsc = { parser: { syntax: 'typescript', decorators: true }, target: 'es2022',
      transform: { legacyDecorator: true, decoratorMetadata: true } };
    mkdirSync('out.swc', { recursive: true });
    for (const file of process.argv.slice(2)) {
      const { code } = transformFileSync(file, { swcrc: false, jsc, module: { type: '${type}' } });
      writeFileSync('out.swc/' + file.replace('.ts', '.js'), code);
    }`;
}

/** Where nothing is installed. */
export function copyBundle(app, to) {
  rmSync(to, { recursive: true, force: true });
  cpSync(join(app.dir, 'bundle'), to, { recursive: true });
  rmSync(join(app.dir, 'bundle'), { recursive: true });
}
