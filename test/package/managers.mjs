// Installs by npm, pnpm and Yarn with Plug'n'Play; says with which options Node is started there, and where a tool is.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const releases = { pnpm: 'pnpm@10.15.0', yarn: '@yarnpkg/cli-dist@4.9.4' };
const scripts = { pnpm: 'pnpm/bin/pnpm.cjs', yarn: '@yarnpkg/cli-dist/bin/yarn.js' };
const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
let waiting = Promise.resolve();

export async function installer(name, { dir, manifest, run, tools }) {
  writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
  const plain = {
    nodeOptions: [],
    installed: (path) => join(dir, 'node_modules', path),
    /** Of what the application names itself. */
    versions: (names) =>
      Object.fromEntries(names.map((name) => [name, versionIn(join(dir, 'node_modules', name))])),
  };
  if (name === 'npm') {
    await run('npm', ['install', ...quiet], dir);
    return plain;
  }
  const own = join(tools, name);
  mkdirSync(own, { recursive: true });
  waiting = waiting.then(() => run('npm', ['install', ...quiet, '--prefix', own, releases[name]], own));
  await waiting;
  const script = join(own, 'node_modules', scripts[name]);
  if (name === 'pnpm') {
    await run(process.execPath, [script, 'install', '--reporter=silent'], dir);
    return {
      ...plain,
      versions: (names) => ({ ...plain.versions(names), pnpm: versionIn(join(own, 'node_modules/pnpm')) }),
    };
  }
  // A project of its own, not one inside of what is around it.
  writeFileSync(join(dir, 'yarn.lock'), '');
  writeFileSync(
    join(dir, '.yarnrc.yml'),
    'nodeLinker: pnp\nenableTelemetry: false\nenableGlobalCache: false\n',
  );
  await run(process.execPath, [script, 'install'], dir, { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' });
  return {
    ...plugAndPlay(dir),
    versions: () => ({ Yarn: versionIn(join(own, 'node_modules/@yarnpkg/cli-dist')) }),
  };
}

function versionIn(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

/** There is no node_modules: Node is told where things are. */
function plugAndPlay(dir) {
  const hooks = ['--require', join(dir, '.pnp.cjs'), '--experimental-loader', join(dir, '.pnp.loader.mjs')];
  const place = (path) =>
    `console.log(require('pnpapi').resolveToUnqualified('${path}', ${JSON.stringify(join(dir, 'package.json'))}))`;
  return {
    nodeOptions: [...hooks, '--no-warnings'], // Also for the processes that a tool begins.
    installed: (path) =>
      execFileSync(process.execPath, [...hooks, '--no-warnings', '-e', place(path)], {
        cwd: dir,
        encoding: 'utf8',
      }).trim(),
  };
}
