import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { SeededRandom } from '../simulation/seeded.random.js';
import type { KillPlan, Told } from './kill.plan.js';

/** What the calls that have resolved have left, and what those may have that had not when the process was killed. */
class Expectation {
  private readonly jobs = new Set<string>();
  private readonly runs = new Set<string>();
  private readonly open = new Map<string, Extract<Told, { kind: 'begin' | 'done' }>>();
  readonly violations: string[] = [];
  calls = 0;

  tell(told: Told): void {
    if (told.kind === 'found') return this.compare(new Set(told.jobs), told.runs);
    const key = `${told.act} ${told.id}`;
    if (told.kind === 'begin') return void this.open.set(key, told);
    this.open.delete(key);
    this.calls++;
    if (told.act === 'create') this.jobs.add(told.id);
    else if (told.act === 'delete') this.jobs.delete(told.id);
    else this.runs.add(told.id);
  }

  private compare(jobs: Set<string>, runs: readonly [runId: string, jobId: string][]): void {
    const begun = [...this.open.values()];
    const may = (act: string, id: string): boolean =>
      begun.some((each) => each.act === act && each.id === id);
    const ends = begun.filter(({ act }) => act === 'settle').length;
    const found = new Set(runs.map(([runId]) => runId));
    const ran = new Set(runs.map(([, jobId]) => jobId));
    for (const id of this.jobs) {
      // What has run is no job any more.
      if (!jobs.has(id) && !may('delete', id) && !ran.has(id)) this.violations.push(`${id} lost`);
    }
    for (const id of jobs)
      if (!this.jobs.has(id) && !may('create', id)) this.violations.push(`${id} came back`);
    for (const id of this.runs) if (!found.has(id)) this.violations.push(`the verdict of ${id} lost`);
    if (found.size !== runs.length) this.violations.push('a run has two verdicts');
    if (found.size > this.runs.size + ends) this.violations.push('verdicts that nobody has asked for');
    this.jobs.clear();
    for (const id of jobs) this.jobs.add(id);
    for (const id of found) this.runs.add(id);
    this.open.clear();
  }
}

/** Kills a process that writes, `script` compiled, `count` times, wherever it is, and starts another one on what that has left. Returns what was lost, or came back. */
export async function killRun(
  script: string,
  path: string,
  count: number,
  seed: number,
): Promise<{ calls: number; violations: string[] }> {
  const random = new SeededRandom(seed);
  const expectation = new Expectation();
  for (let round = 1; round <= count; round++) {
    const places = ['before', 'within', 'after'] as const;
    const end = { action: random.between(1, 60), place: random.pick(places) };
    const plan: KillPlan = { path, round, end: path.endsWith('.db') ? null : end };
    await killed(script, plan, expectation, random.between(1, 60));
    if (expectation.violations.length > 0) {
      expectation.violations.push(`after the kill ${round}, ${JSON.stringify(plan.end)}`);
      break;
    }
  }
  return expectation;
}

async function killed(
  script: string,
  plan: KillPlan,
  expectation: Expectation,
  lines: number,
): Promise<void> {
  const child = fork(script, [JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once('exit', (_, signal) => resolve(signal)),
  );
  let found = false;
  let left = lines;
  for await (const line of createInterface({ input: child.stdout! })) {
    const told = parsed(line);
    if (told === null) break;
    found ||= told.kind === 'found';
    expectation.tell(told);
    if (plan.end === null && --left === 0) child.kill('SIGKILL');
  }
  if ((await ended) !== 'SIGKILL' || !said.match(/^(?:\(node|\s|$)/)) {
    expectation.violations.push(`the process ended by itself: ${said}`);
  } else if (!found && plan.end === null)
    expectation.violations.push('the process was killed before it has told anything');
}

/** Null: it was killed while it wrote this. */
function parsed(line: string): Told | null {
  try {
    return JSON.parse(line) as Told;
  } catch {
    return null;
  }
}
