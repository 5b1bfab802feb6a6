// What is installed together, and what is tried with it.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compilers } from './types.mjs';

const root = resolve(import.meta.dirname, '../..');
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const pinned = (...names) => Object.fromEntries(names.map((name) => [name, devDependencies[name]]));

const releases = {
  10: { nest: '^10.0.0', typeorm: '^0.3.20', typescript: '4.9.5' },
  11: { nest: '^11.0.0', typeorm: '^0.3.20', typescript: '5.9.3' },
  12: { nest: '^12.0.0', typeorm: '^1.0.0', typescript: devDependencies.typescript },
};

const swc = { '@swc/core': '1.16.21' };
const jest = {
  jest: '30.5.1',
  '@jest/globals': '30.5.1',
  '@swc/jest': '0.2.39',
  'ts-jest': '29.4.12',
  'jest-util': '30.5.1', // A peer of ts-jest, which Plug'n'Play insists on.
  ...swc,
};
const bundlers = {
  webpack: '^5.90.0',
  'webpack-cli': '^6.0.1',
  esbuild: '^0.27.0',
  '@vercel/ncc': '^0.38.0',
};
const nx = { nx: '23.2.1', '@nx/js': '23.2.1' };
const needs = {
  swc,
  webpack: bundlers,
  'webpack, bundled': bundlers,
  esbuild: bundlers,
  ncc: bundlers,
  'Nx, webpack': { ...nx, '@nx/webpack': '23.2.1' },
  'Nx, esbuild': { ...nx, '@nx/esbuild': '23.2.1', esbuild: bundlers.esbuild },
  vitest: pinned('vitest', 'vite'),
  'ts-jest': jest,
  '@swc/jest': jest,
  'nest add': { '@nestjs/cli': '^11.0.0' },
};

const bundled = ['webpack', 'webpack, bundled', 'esbuild', 'ncc'];
const each = ['tsc', 'swc', ...bundled, 'vitest', '@swc/jest'];
const everything = (release) => ({
  esm: release === 11 ? [...each, 'ts-jest'] : each,
  commonjs: [...each, 'ts-jest'],
});

/** What differs most; the longest first, as two are tried at once. */
export const short = [
  stack(11, 'npm', { esm: ['tsc', 'nest add'], commonjs: ['tsc', 'nest add', 'ts-jest', 'esbuild'] }),
  stack(12, 'npm', { esm: ['tsc', 'vitest'], commonjs: ['tsc', '@swc/jest'] }),
  stack(10, 'npm', { commonjs: ['tsc'] }),
  onPlatforms(stack(11, 'npm', { esm: ['http'], commonjs: ['http'] })),
  onPlatforms(stack(12, 'npm', { esm: ['http'], commonjs: ['http'] })),
  onPlatforms(stack(10, 'npm', { commonjs: ['http'] })),
];

export const all = [
  ...[12, 11, 10].flatMap((release) =>
    ['npm', 'pnpm'].map((manager) => stack(release, manager, everything(release))),
  ),
  onYarn(stack(11, 'yarn', everything(11))),
  { ...stack(11, 'npm', { commonjs: ['Nx, webpack', 'Nx, esbuild'] }), name: 'nx', label: 'Nest 11, Nx' },
  typed(11, Object.keys(compilers)),
  typed(12, ['typescript-5.7', 'typescript-6.0', 'typescript-7.0']),
];

function stack(release, manager, steps) {
  const { nest, typeorm, typescript } = releases[release];
  const tools = Object.values(steps).flat();
  return {
    name: `nest-${release}-${manager}`,
    label: `Nest ${release}, ${manager === 'yarn' ? 'Yarn' : manager}`,
    release,
    manager,
    steps,
    dependencies: {
      ...{ '@nestjs/common': nest, '@nestjs/core': nest, typeorm, pg: '^8.11.0' },
      ...{ 'reflect-metadata': '^0.2.0', rxjs: '^7.8.0' },
    },
    devDependencies: Object.assign(
      { typescript, ...pinned('@types/node') },
      ...tools.map((tool) => needs[tool] ?? {}),
    ),
  };
}

/** REST on both of them. */
function onPlatforms({ dependencies, ...others }) {
  const { nest } = releases[others.release];
  const platforms = { '@nestjs/platform-express': nest, '@nestjs/platform-fastify': nest };
  return { ...others, name: `http-${others.release}`, dependencies: { ...dependencies, ...platforms } };
}

/** The same types for one compiler after the other. */
function typed(release, names) {
  const installed = Object.fromEntries(names.map((name) => [name, compilers[name]]));
  const devDependencies = { ...pinned('@types/node'), ...installed };
  return {
    ...{ ...stack(release, 'npm', {}), name: `types-${release}`, label: `Nest ${release}` },
    ...{ devDependencies, compilers: names },
  };
}

/** Plug'n'Play: it asks for the packages of all platforms, which the registry does not have of each release. So this is where Vitest 3 is tried as well. */
function onYarn({ devDependencies, ...others }) {
  const complete = { '@swc/core': '~1.15.0', vitest: '^3.2.0', vite: '^6.0.0', 'unplugin-swc': '^1.5.0' };
  return { ...others, devDependencies: { ...devDependencies, ...complete } };
}
