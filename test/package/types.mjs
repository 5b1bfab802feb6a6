// Compilers and the ways in which they find modules: each must take types.use.ts and the installed types, those of others left out.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** By the names under which they are installed beside each other. */
export const compilers = {
  'typescript-4.9': 'npm:typescript@4.9.5',
  'typescript-5.0': 'npm:typescript@5.0.4',
  'typescript-5.4': 'npm:typescript@5.4.5',
  'typescript-5.7': 'npm:typescript@5.7.3',
  'typescript-5.9': 'npm:typescript@5.9.3',
  'typescript-6.0': 'npm:typescript@6.0.3',
  'typescript-7.0': 'npm:typescript@7.0.2',
};

const resolutions = {
  'node, CommonJS': ['commonjs', 'commonjs', 'node'],
  'node16, CommonJS': ['commonjs', 'node16', 'node16'],
  'node16, ES modules': ['module', 'node16', 'node16'],
  'nodenext, CommonJS': ['commonjs', 'nodenext', 'nodenext'],
  'nodenext, ES modules': ['module', 'nodenext', 'nodenext'],
  'bundler, ES modules': ['module', 'esnext', 'bundler'],
};

/** What cannot be: the resolution is not in that compiler, or cannot load that Nest. */
export function missing(version, resolution, release) {
  if (resolution.startsWith('bundler') && version < 5) return '`bundler` is of TypeScript 5.0 and later.';
  if (resolution.startsWith('node,') && version >= 7) return '`node` is of TypeScript 6 and before.';
  if (
    release === 12 &&
    (resolution === 'node16, CommonJS' || (resolution === 'nodenext, CommonJS' && version < 5.8))
  ) {
    return 'Nest 12 is ES modules, which CommonJS requires with `nodenext` of TypeScript 5.8 and later.';
  }
  return null;
}

/** In the folder where it is installed: `[resolution, what the compiler says]` of each that there is. */
export async function tryTypes(dir, release, name) {
  const version = Number(name.replace('typescript-', ''));
  const names = Object.keys(resolutions).filter(
    (resolution) => missing(version, resolution, release) === null,
  );
  const folders = names.map((resolution) => write(dir, version, resolution, release));
  const installed = join(dir, 'node_modules', name);
  const problems = version < 7 ? await byPrograms(installed, folders) : await byCommand(installed, folders);
  return names.map((resolution, index) => [resolution, problems[index]]);
}

function write(dir, version, resolution, release) {
  const [type, module, moduleResolution] = resolutions[resolution];
  // Before it had require(esm) in mind, TypeScript let no types of CommonJS name those of ES modules: ours those of Nest 12.
  const skipLibCheck = release === 12 && (module === 'node16' || (module === 'nodenext' && version < 5.8));
  const folder = join(dir, `${version} ${resolution}`.replaceAll(/\W+/g, '-'));
  mkdirSync(folder);
  cpSync(join(import.meta.dirname, 'types.use.ts'), join(folder, 'use.ts'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type }));
  const compilerOptions = {
    ...{ target: 'es2022', module, moduleResolution, types: ['node'], noEmit: true, strict: true },
    ...{ experimentalDecorators: true, emitDecoratorMetadata: true, skipLibCheck },
    ...(version === 6 && moduleResolution === 'node' ? { ignoreDeprecations: '6.0' } : {}),
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use.ts'] }));
  return folder;
}

/** Much faster than the command, as the types of others are not checked. */
async function byPrograms(installed, folders) {
  const script = join(import.meta.dirname, 'types.check.cjs');
  const { stdout } = await execute(process.execPath, [script, installed, ...folders]);
  return JSON.parse(stdout);
}

async function byCommand(installed, folders) {
  const problems = [];
  for (const folder of folders) {
    const args = [join(installed, 'bin/tsc'), '-p', folder, '--pretty', 'false'];
    const { stdout } = await execute(process.execPath, args, { cwd: folder }).catch((error) => {
      if (!error.stdout) throw error;
      return error;
    });
    const lines = stdout.split('\n').filter((line) => /error TS/.test(line));
    problems.push(lines.filter((line) => !/node_modules\/(?!nestjs-chronis\/)/.test(line)));
  }
  return problems;
}
