// npm run sample [-- 02-cluster]: starts a compiled sample.
import { existsSync, readdirSync } from 'node:fs';

const name = process.argv[2] ?? '01-quick-start';
const main = new URL(`../out/${name}/main.js`, import.meta.url);
if (!existsSync(main)) {
  const samples = readdirSync(new URL('.', import.meta.url)).filter((entry) => /^\d\d-/.test(entry));
  console.error(`There is no sample "${name}". Samples: ${samples.join(', ')}.`);
  process.exit(1);
}
await import(main.href);
