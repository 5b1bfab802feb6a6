// Runs a suite: for each setting the systems in turns, so that whatever else the machine does hits them all.
import { describeMachine, describeServer, nodeVersion, provideServer, versionOf } from './environment.mjs';
import { summarize } from './figures.mjs';
import { inRun } from './run.mjs';
import { chooseSystems } from './systems.mjs';
import { tables } from './table.mjs';

/** Prints and returns the report. */
export async function benchmark(suite, options) {
  const { taking, skipped, execPath } = await chooseSystems(suite.onlyOurs ? [] : options.peers);
  const server = await provideServer(options.url);
  try {
    const report = {
      suite: options.suite,
      command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
      date: new Date().toISOString(),
      hardware: describeMachine(),
      versions: { node: nodeVersion(execPath), ...versionsOf(taking) },
      server: await describeServer(server.url),
      about: suite.about,
      systems: taking.map(({ name, setting, keeps }) => ({ system: name, setting, keeps })),
      results: [],
      skipped,
    };
    introduce(report);
    const samples = await takeSamples(suite, options, { taking, skipped, execPath, server: server.url });
    report.results = summarize(samples);
    conclude(report);
    return report;
  } finally {
    await server.stop();
  }
}

async function takeSamples(suite, options, { taking, skipped, execPath, server }) {
  const { quick } = options;
  const rounds = options.rounds ?? (quick ? suite.quickRounds : suite.rounds);
  const wanted = ({ name }) =>
    options.settings.length === 0 || options.settings.some((text) => name.includes(text));
  const samples = [];
  for (const setting of suite.settings({ quick }).filter(wanted)) {
    const failed = new Set();
    for (let round = 1; round <= rounds; round++) {
      for (const about of taking) {
        const { name: system } = about;
        if (failed.has(system)) continue;
        const skip = (reason) => {
          failed.add(system);
          skipped.push({ system, setting: setting.name, reason });
          console.log(`${setting.name}, ${system}: skipped, ${reason}`);
        };
        const reason = [options.suite, ...(setting.skips ?? [])]
          .map((key) => about.cannot?.[key])
          .find(Boolean);
        if (reason) {
          skip(reason);
          continue;
        }
        const { mode } = suite;
        try {
          const found = await inRun({ server, about, mode, execPath }, (run) => suite.run(run, setting));
          samples.push(...found.map((figure) => ({ system, setting: setting.name, ...figure })));
          const figures = found.map(
            ({ measure, value, unit }) => `${measure} ${Number(value.toPrecision(4))} ${unit}`,
          );
          console.log(`${setting.name}, round ${round}, ${system}: ${figures.join(' · ')}`);
        } catch (error) {
          console.error(error);
          skip(`it failed: ${error.message.split('\n', 1)[0]}`);
        }
      }
    }
  }
  return samples;
}

function versionsOf(taking) {
  return Object.fromEntries(taking.map((about) => [about.name, versionOf(about.package)]));
}

function introduce({ suite, about, hardware, versions, server, systems, skipped }) {
  const list = (object) =>
    Object.entries(object)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
  console.log(`\n${suite}: ${about}\n`);
  console.log(`${hardware.cores} × ${hardware.cpu}, ${hardware.memoryGiB} GiB · ${list(versions)}`);
  console.log(`PostgreSQL: ${list(server)}`);
  for (const { system, setting } of systems) console.log(`${system}: ${setting}`);
  for (const { system, reason } of skipped) console.log(`${system}: skipped, ${reason}`);
  console.log();
}

function conclude({ results, systems, skipped }) {
  const keeps = Object.fromEntries(systems.map((system) => [system.system, system.keeps]));
  console.log(`\n${tables(results, keeps)}`);
  for (const { system, setting, reason } of skipped) {
    console.log(`Skipped: ${system}${setting === null ? '' : `, ${setting}`}: ${reason}`);
  }
}
