// Run in an application: whichever way the package is loaded, there is one of everything.
import { createRequire } from 'node:module';
import 'reflect-metadata';

const require = createRequire(import.meta.url);
for (const door of [
  '',
  '/typeorm',
  '/sqlite',
  '/file',
  '/schedule',
  '/job-files',
  '/testing',
  '/executors',
  '/metrics',
  '/alerts',
  '/tracing',
  '/health',
  '/http',
]) {
  const imported = await import(`nestjs-chronis${door}`);
  const required = require(`nestjs-chronis${door}`);
  const names = Object.keys(required);
  if (names.length === 0) throw new Error(`nestjs-chronis${door} has no exports.`);
  for (const name of names) {
    if (imported[name] !== required[name]) throw new Error(`There are two ${name} in nestjs-chronis${door}.`);
  }
}
