// What the compiler leaves to do in a folder of compiled lib: node build/finish.mjs FOLDER
import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { licences } from './licences.mjs';

const [folder] = process.argv.slice(2);
// The files are CommonJS, in a package of ES modules.
copyFileSync(resolve(import.meta.dirname, '../lib/package.json'), join(folder, 'package.json'));
const { code, moduleIds } = await inOnePiece(join(folder, 'typeorm/beat.thread.js'));
const source = `'use strict';\nexports.beatSource = ${JSON.stringify(code)};\n`;
writeFileSync(join(folder, 'typeorm/beat.source.js'), source);
writeFileSync(join(folder, 'LICENCES.md'), licences(moduleIds));

/** A module with all that it imports, the PostgreSQL driver included. */
async function inOnePiece(input) {
  const external = ['pg-native']; // Asked for only by who wants it, and the thread does not.
  const bundle = await rolldown({ input, platform: 'node', external });
  const { output } = await bundle.generate({ format: 'cjs', minify: true });
  await bundle.close();
  return output[0];
}
