import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  root,
  resolve: {
    alias: [
      { find: /^nestjs-chronis$/, replacement: `${root}lib/index.ts` },
      { find: /^nestjs-chronis\/(\w+)$/, replacement: `${root}lib/$1/index.ts` },
    ],
  },
  test: {
    include: ['recipes/*.spec.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    setupFiles: ['reflect-metadata'],
    globalSetup: ['test/support/global.ts'],
  },
});
