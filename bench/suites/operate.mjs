// What it costs to look at large tables: the API, the metrics and the probes, and the jobs that run meanwhile.
import { describeMachine, describeServer, provideServer, query, versionOf } from '../environment.mjs';
import { median, quantile, summarize } from '../figures.mjs';
import { startApi } from '../operate/api.mjs';
import { Plans } from '../operate/plans.mjs';
import { drainWatched } from '../operate/polling.mjs';
import { requestsFor, sample } from '../operate/requests.mjs';
import { makeRows } from '../operate/rows.mjs';
import { shown } from '../table.mjs';

const clients = 20;
/** After so long a request has been asked often enough. */
const mostMs = 3_000;

export const suite = {
  about:
    'A database with --jobs jobs (half of them recur) and --runs rows of the ledger, over 30 days. Each route of the API that looks, with filters and from a page in the middle: the first call, and then several; the plan of each statement that it sends: which tables are read from one end to the other. Then a drain on one worker, with nobody and with 20 clients that ask for a list each second of an API in another process, in turns.',

  async alone(options) {
    const jobs = options.jobs ?? (options.quick ? 20_000 : 1_000_000);
    const runs = options.runs ?? (options.quick ? 200_000 : 10_000_000);
    const machine = describeMachine();
    console.log(
      `${machine.cores} × ${machine.cpu} · Node ${process.version} · ${jobs} jobs, ${runs} rows of the ledger\n${suite.about}`,
    );
    const server = await provideServer(options.url);
    const kept = process.env.OPERATE_DATABASE;
    const database = kept ?? `operate_${process.pid}`;
    const url = Object.assign(new URL(server.url), { pathname: `/${database}` }).href;
    try {
      await filled(server.url, database, url, { jobs, runs });
      const samples = [...(await looking(url, options)), ...(await draining(url, options))];
      return {
        suite: 'operate',
        command: `npm run bench -- ${process.argv.slice(2).join(' ')}`,
        date: new Date().toISOString(),
        hardware: machine,
        versions: { node: process.version, 'nestjs-chronis': versionOf('nestjs-chronis') },
        server: await describeServer(server.url),
        about: suite.about,
        results: summarize(samples),
        skipped: [],
      };
    } finally {
      if (kept === undefined) await query(server.url, `drop database if exists ${database} with (force)`);
      await server.stop();
    }
  },
};

/** Fills the database, unless OPERATE_DATABASE names one that is there. */
async function filled(serverUrl, database, url, sizes) {
  if (!/^[a-z_][a-z0-9_]*$/.test(database))
    throw new Error(`OPERATE_DATABASE may have small letters, digits and _, unlike "${database}".`);
  const [{ is }] = await query(
    serverUrl,
    `select exists (select from pg_database where datname = '${database}') as is`,
  );
  if (is) return;
  await query(serverUrl, `create database ${database}`);
  const begun = performance.now();
  await makeRows(url, sizes, (what) =>
    console.log(`${shown((performance.now() - begun) / 1_000)} s: ${what}`),
  );
}

/** Prints a line for each request; fails where a large table is read from one end to the other. */
async function looking(url, { quick, settings }) {
  const isWanted = ({ path }) => settings.length === 0 || settings.some((text) => path.includes(text));
  const [api, plans] = [await startApi(url, '120s'), await Plans.open(url)];
  const samples = [];
  console.log(
    '\n| request | first (ms) | p50 (ms) | p95 (ms) | max (ms) | statements |\n| --- | ---: | ---: | ---: | ---: | ---: |',
  );
  try {
    await api.get('/chronis/status');
    for (const request of requestsFor(await sample(url)).filter(isWanted)) {
      await api.takeSent();
      const first = await asked(api, request.path);
      const sent = await api.takeSent();
      const times = [];
      const enough = performance.now() + mostMs;
      while (times.length < (quick ? 5 : 20) && (times.length < 3 || performance.now() < enough))
        times.push(await asked(api, request.path));
      await plans.look(request, sent);
      const figures = [first, quantile(times, 0.5), quantile(times, 0.95), Math.max(...times)];
      console.log(
        `| \`${decodeURIComponent(request.path)}\` | ${figures.map(shown).join(' | ')} | ${sent.length} |`,
      );
      const of = { system: 'chronis', setting: `GET ${request.path}`, unit: 'ms', better: 'less' };
      samples.push(
        ...['first', 'p50', 'p95', 'max'].map((measure, nth) => ({ ...of, measure, value: figures[nth] })),
      );
    }
    console.log(
      `\n${plans.statements} statements, ${plans.scans.length} of which read a large table from one end to the other.`,
    );
    for (const { table, path } of plans.scans) console.log(`- ${table}: ${decodeURIComponent(path)}`);
    if (plans.scans.length > 0) process.exitCode = 1;
    return samples;
  } finally {
    await plans.close();
    await api.stop();
  }
}

async function asked(api, path) {
  const { status, body, ms } = await api.get(path);
  if (status !== 200) throw new Error(`${path} was answered by ${status}: ${body.slice(0, 500)}`);
  return ms;
}

async function draining(url, { rounds, quick, settings }) {
  if (settings.length > 0 && !settings.includes('drain')) return [];
  const api = await startApi(url, '2s');
  try {
    const { rates, answers } = await drainWatched({
      url,
      api,
      clients,
      jobs: quick ? 20_000 : 200_000,
      rounds: rounds ?? (quick ? 2 : 6),
    });
    const falls = rates.map(({ alone, watched }) => (1 - watched / alone) * 100);
    console.log('\n| jobs/s, nobody looks | 20 clients look | less (%) |\n| ---: | ---: | ---: |');
    rates.forEach(({ alone, watched }, nth) =>
      console.log(`| ${shown(alone)} | ${shown(watched)} | ${shown(falls[nth])} |`),
    );
    console.log(
      `\nMedians: ${shown(median(rates.map(({ alone }) => alone)))} and ${shown(median(rates.map(({ watched }) => watched)))} jobs/s, ${shown(median(falls))} % less. ${answers.length} answers meanwhile, p50 ${shown(quantile(answers, 0.5))} ms, p95 ${shown(quantile(answers, 0.95))} ms.`,
    );
    const of = { system: 'chronis', setting: 'a drain' };
    return rates.flatMap(({ alone, watched }, nth) => [
      { ...of, measure: 'nobody looks', value: alone, unit: 'jobs/s', better: 'more' },
      { ...of, measure: `${clients} clients look`, value: watched, unit: 'jobs/s', better: 'more' },
      { ...of, measure: 'less', value: falls[nth], unit: '%', better: 'less' },
    ]);
  } finally {
    await api.stop();
  }
}
