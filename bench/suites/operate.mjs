// What it costs to look at large tables: the API, the metrics and the probes, and the jobs that run meanwhile.
import { describeMachine, describeServer, provideServer, query, versionOf } from '../environment.mjs';
import { median, quantile, summarize } from '../figures.mjs';
import { startApi } from '../operate/api.mjs';
import { Plans } from '../operate/plans.mjs';
import { drainWatched, paceMs } from '../operate/polling.mjs';
import { requestsFor, sample } from '../operate/requests.mjs';
import { makeRows } from '../operate/rows.mjs';
import { shown } from '../table.mjs';

const clients = 20;
/** After so long a request has been asked often enough. */
const mostMs = 3_000;

export const suite = {
  about:
    'A database with --jobs jobs (half of them recur) and --runs rows of the ledger, over 30 days. Each route of the API that looks, with filters and from a page in the middle: the first call, and then several; the plan of each statement that it sends: which tables are read from one end to the other. Then a drain on one worker, in turns: nobody looks; 20 clients ask a process that gives constant answers, for a list every 5 s each; they ask an API in another process.',

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
  const api = await startApi(url, '2s', '1s');
  try {
    const { rates, answers } = await drainWatched({
      url,
      api,
      clients,
      jobs: quick ? 20_000 : 200_000,
      rounds: rounds ?? (quick ? 2 : 6),
    });
    const fallOf = (kind) => rates.map((rate) => (1 - rate[kind] / rate.alone) * 100);
    const falls = { constant: fallOf('constant'), watched: fallOf('watched') };
    console.log(
      `\n| jobs/s, nobody looks | ${clients} clients, constant answers | less (%) | ${clients} clients, the API | less (%) |\n| ---: | ---: | ---: | ---: | ---: |`,
    );
    rates.forEach(({ alone, constant, watched }, nth) => {
      const cells = [alone, constant, falls.constant[nth], watched, falls.watched[nth]];
      console.log(`| ${cells.map(shown).join(' | ')} |`);
    });
    const of = { system: 'chronis', setting: 'a drain' };
    const medianOf = (kind) => shown(median(rates.map((rate) => rate[kind])));
    console.log(
      `\nEach asks every ${paceMs / 1_000} s. Medians: ${medianOf('alone')}, ${medianOf('constant')} and ${medianOf('watched')} jobs/s; ${shown(median(falls.constant))} % less by the clients, ${shown(median(falls.watched))} % by them and the API. ${answers.length} answers of it, p50 ${shown(quantile(answers, 0.5))} ms, p95 ${shown(quantile(answers, 0.95))} ms.`,
    );
    return rates.flatMap(({ alone, constant, watched }, nth) => [
      { ...of, measure: 'nobody looks', value: alone, unit: 'jobs/s', better: 'more' },
      {
        ...of,
        measure: `${clients} clients, constant answers`,
        value: constant,
        unit: 'jobs/s',
        better: 'more',
      },
      { ...of, measure: `${clients} clients look`, value: watched, unit: 'jobs/s', better: 'more' },
      { ...of, measure: 'less by the clients', value: falls.constant[nth], unit: '%', better: 'less' },
      { ...of, measure: 'less', value: falls.watched[nth], unit: '%', better: 'less' },
    ]);
  } finally {
    await api.stop();
  }
}
