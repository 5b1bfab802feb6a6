import { createRequire } from 'node:module';

/** The version of this package. */
export function packageVersion(): string {
  const require = createRequire(import.meta.url);
  return (require('nestjs-chronis/package.json') as { version: string }).version;
}
