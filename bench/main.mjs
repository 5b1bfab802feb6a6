// npm run bench -- drain: see README.md.
import { writeFileSync } from 'node:fs';
import { readArguments, usage } from './arguments.mjs';
import { installPeers } from './environment.mjs';

try {
  const options = readArguments(process.argv.slice(2));
  if (options.help) console.log(usage);
  else {
    installPeers();
    const report = await reportOf(options);
    if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
    if (report.results.length === 0) process.exitCode = 1;
  }
} catch (error) {
  console.error(
    error.code?.startsWith('ERR_PARSE_ARGS') || !error.stack?.includes('bench') ? error.message : error,
  );
  console.error(`\n${usage}`);
  process.exitCode = 1;
}

/** What needs the peers is loaded after they have been installed. */
async function reportOf(options) {
  const { suite } = await import(`./suites/${options.suite}.mjs`);
  if (suite.alone) return suite.alone(options);
  const { benchmark } = await import('./benchmark.mjs');
  return benchmark(suite, options);
}
