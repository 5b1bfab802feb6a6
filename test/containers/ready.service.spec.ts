import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { longFlag } from '../../lib/cli/cli.command.js';
import { commands } from '../../lib/cli/command.list.js';
import { globalOptions } from '../../lib/cli/global.options.js';
import { compiledTests } from '../support/compiled.js';
import { document, inFolder } from '../cli/cli.call.js';
import { RunningService } from '../cli/running.service.js';
import { compose, kubernetes, said, stages } from './manifests.js';

beforeAll(() => void compiledTests(), 120_000);

const all = [...Object.values(globalOptions), ...commands.flatMap(({ options }) => Object.values(options))];
const variables = new Set(all.map(({ variable }) => variable));

/** Of the program, which `chronis` is the first word of. */
function assertCommand([program, name, ...args]: string[]): void {
  expect(program).toBe('chronis');
  const found = commands.find((each) => each.name === name);
  expect(found, name).toBeDefined();
  const flags = [...Object.values(globalOptions), ...Object.values(found!.options)].map(longFlag);
  for (const flag of args.filter((each) => each.startsWith('--'))) expect(flags).toContain(flag);
}

const image = stages().at(-1)!;
const env = Object.fromEntries(said(image, 'ENV').map((text) => text.split(/=(.*)/s) as [string, string]));
const parsed = (text: string): string[] => JSON.parse(text) as string[];
const start = parsed(said(image, 'CMD')[0]!);
const health = parsed(said(image, 'HEALTHCHECK')[0]!.replace(/^.* CMD /, ''));
const grace = 25;

describe('the image', () => {
  test('is made in two stages, and runs as a user that is not root', () => {
    expect(stages().map(({ name }) => name)).toEqual(['install', null]);
    expect(said(image, 'USER')).toEqual(['1000:1000']);
    expect(said(image, 'COPY').every((text) => text.startsWith('--from=install '))).toBe(true);
    const last = image.instructions.map(({ name }) => name);
    expect(last.slice(last.indexOf('USER'))).toEqual(['USER', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD']);
    for (const text of said(image, 'RUN')) expect(text).not.toContain('npm');
  });

  test('starts and asks by commands that there are, with variables that there are', () => {
    assertCommand(start);
    assertCommand(health);
    const own = Object.keys(env).filter((name) => name.startsWith('CHRONIS_'));
    expect(own).toHaveLength(2);
    for (const name of own) expect(variables).toContain(name);
    expect(env.PATH).toContain('/opt/chronis/node_modules/.bin');
  });

  test('is started by its own command, is healthy by its own check, and ends in order', async () => {
    await inFolder(async (folder) => {
      // The folders of the image, below one of the test.
      const placed = Object.fromEntries(
        Object.entries(env).map(([name, value]) => [
          name,
          /^\/(etc|run|var)\//.test(value) ? folder + value : value,
        ]),
      );
      for (const path of ['var/lib', 'run/chronis', 'etc/chronoflow/jobs.d'])
        mkdirSync(join(folder, path), { recursive: true });
      const job = {
        job_id: 'a',
        schedule: '2025-09-20T02:00:00Z',
        task: { type: 'cmd', command: '/bin/echo a' },
      };
      writeFileSync(join(folder, 'etc/chronoflow/jobs.d/a.json'), JSON.stringify(job));
      const given = Object.fromEntries(Object.entries(placed).filter(([name]) => name !== 'PATH'));
      const ask = (args: string[]) =>
        spawnSync(process.execPath, [join(compiledTests(), 'lib/cli/bin.js'), ...args], {
          encoding: 'utf8',
          env: { PATH: process.env.PATH, ...given },
        });
      expect(start.slice(0, 2)).toEqual(['chronis', 'run']);
      await using service = RunningService.start(start.slice(2), given);
      await service.says('Commands are answered');
      await service.says('job_id=a');
      expect(ask(health.slice(1))).toMatchObject({ status: 0, stdout: 'healthy\t1 running\n', stderr: '' });
      expect(ask(['health', '--live'])).toMatchObject({ status: 0, stdout: 'live\tworking\n' });
      expect(await service.end('SIGTERM')).toBe(0);
      const gone = ask(health.slice(1));
      expect(gone.status).toBe(1);
      expect(gone.stderr).toContain('No service answers');
    });
  });
});

describe('the compose file', () => {
  const { services, volumes } = compose();

  test('has PostgreSQL, and the service of the image that waits for it', () => {
    expect(Object.keys(services)).toEqual(['postgres', 'chronis']);
    const { build, command, environment, depends_on, stop_grace_period } = services.chronis;
    expect(build).toEqual({ context: '../..', dockerfile: 'docs/deploy/Dockerfile' });
    assertCommand(command);
    expect(depends_on.postgres.condition).toBe('service_healthy');
    expect(services.postgres.healthcheck.test).toContain('pg_isready');
    expect(Number.parseInt(stop_grace_period, 10)).toBeGreaterThan(grace);
    for (const name of Object.keys(environment).filter((each) => each.startsWith('CHRONIS_')))
      expect(variables).toContain(name);
    expect(environment.PGHOST).toBe('postgres');
    expect(Object.keys(volumes)).toEqual(['data']);
  });

  test('reads the jobs of the folder beside it', () => {
    const [from, to, mode] = services.chronis.volumes[0].split(':');
    expect([to, mode]).toEqual([env.CHRONIS_JOBS_DIR, 'ro']);
    expect(readdirSync(new URL(`../../docs/deploy/${from}`, import.meta.url))).toEqual([
      'frequent-task.json',
    ]);
  });

  test('has no password', () => {
    for (const { environment } of Object.values<any>(services))
      for (const [name, value] of Object.entries<string>(environment))
        if (/PASSWORD/.test(name)) expect(value).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
  });
});

describe('the example for Kubernetes', () => {
  const [configuration, deployment] = kubernetes();
  const pod = deployment.spec.template.spec;
  const [container] = pod.containers;

  test('is a deployment that selects its own pods, and the jobs that they read', () => {
    expect(kubernetes().map(({ kind }) => kind)).toEqual(['ConfigMap', 'Deployment']);
    expect(deployment.spec.selector.matchLabels).toEqual(deployment.spec.template.metadata.labels);
    const jobs = pod.volumes.find(({ name }: { name: string }) => name === 'jobs');
    expect(jobs.configMap.name).toBe(configuration.metadata.name);
    const mounted = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    expect(mounted).toContain(env.CHRONIS_JOBS_DIR);
    expect(mounted).toContain(env.CHRONIS_SOCKET!.replace(/\/[^/]*$/, ''));
    const volumes = pod.volumes.map(({ name }: { name: string }) => name);
    expect(container.volumeMounts.map(({ name }: { name: string }) => name)).toEqual(volumes);
  });

  test('has probes of commands that there are, and liveness does not ask the storage', () => {
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
      assertCommand(container[probe].exec.command);
    expect(container.livenessProbe.exec.command).toContain('--live');
    expect(container.readinessProbe.exec.command).not.toContain('--live');
    assertCommand(container.args);
    for (const { name } of container.env) expect(variables).toContain(name);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(grace);
  });

  test('runs as nobody who may change the image', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
    });
  });

  test('has jobs that the service runs as they are, with what it allows', async () => {
    await inFolder(async (folder) => {
      mkdirSync(join(folder, 'jobs.d'));
      for (const [name, text] of Object.entries<string>(configuration.data))
        writeFileSync(join(folder, 'jobs.d', name), text);
      const allow = container.env.find(({ name }: { name: string }) => name === 'CHRONIS_ALLOW').value;
      const given = {
        XDG_STATE_HOME: join(folder, 'state'),
        CHRONIS_JOBS_DIR: join(folder, 'jobs.d'),
        CHRONIS_ALLOW: allow,
      };
      await using service = RunningService.start(container.args.slice(2), given);
      await service.says('Commands are answered');
      const { jobs } = await document(['jobs'], { env: given });
      expect(jobs.map(({ id, timeZone }: any) => [id, timeZone])).toEqual([
        ['daily-report', 'Asia/Seoul'],
        ['frequent-task', 'UTC'],
      ]);
      const { outcome } = await document(['jobs', 'run', 'daily-report', '--wait', '--timeout', '30s'], {
        env: given,
      });
      expect(outcome.verdict).toBe('succeeded');
      expect(await service.end('SIGTERM')).toBe(0);
    });
  });
});
