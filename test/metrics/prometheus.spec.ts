import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { catalogue } from '../../lib/metrics/catalogue.js';
import { noPromtool, promtool } from '../support/promtool.js';

const folder = fileURLToPath(new URL('../../docs/deploy/', import.meta.url));
const read = (path: string): string => readFileSync(folder + path, 'utf8');
const page = readFileSync(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');

interface Rules {
  groups: { rules: { alert: string; expr: string; for?: string }[] }[];
}
interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

const alerts = (parse(read('prometheus/alerts.yaml')) as Rules).groups.flatMap(({ rules }) => rules);
const { panels } = JSON.parse(read('grafana/dashboard.json')) as Dashboard;

/** Names without the prefix, and the labels that a query is about. */
function namesIn(expr: string): string[] {
  return Array.from(expr.matchAll(/chronis_(\w+)/g), ([, name]) => name!.replace(/_(bucket|sum|count)$/, ''));
}

const names = Object.keys(catalogue);
const typed: Record<string, { type: string; labels: readonly string[] }> = catalogue;

describe('what is shipped for Prometheus and Grafana', () => {
  test('asks for metrics that there are, and the dashboard for all of them', () => {
    const asked = [
      ...alerts.map(({ expr }) => expr),
      ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    expect(asked.flatMap(namesIn).filter((name) => !names.includes(name))).toEqual([]);
    const shown = new Set(panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr))));
    expect(names.filter((name) => !shown.has(name))).toEqual([]);
  });

  test('takes what all processes tell alike as max(), and never adds it up over processes', () => {
    const help = (name: string): string => (catalogue as Record<string, { help: string }>)[name]!.help;
    const ofAll = names.filter((name) => help(name).includes('max() over processes'));
    expect(ofAll.length).toBeGreaterThan(8);
    for (const { targets } of panels) {
      for (const { expr } of targets) {
        for (const name of ofAll) {
          if (expr.includes(`chronis_${name}`))
            expect(expr).toMatch(
              new RegExp(`max( by \\([\\w, ]+\\))? \\(?(\\w+\\()?chronis_${name}|max\\(chronis_${name}`),
            );
        }
      }
    }
  });

  test('has the twelve alerts that the guide explains', () => {
    const guide = readFileSync(new URL('../../docs/guides/metrics-and-alerts.md', import.meta.url), 'utf8');
    expect(alerts).toHaveLength(12);
    const explained = Array.from(guide.matchAll(/^\| `(Chronis\w+)` \|/gm), ([, name]) => name);
    expect(explained.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });

  test('each alert is tested: it fires, and resolves', () => {
    const tests = read('prometheus/alerts.test.yaml');
    for (const { alert } of alerts) {
      expect(tests).toMatch(new RegExp(`alertname: ${alert}, exp_alerts: \\[\\]`));
      expect(tests).toMatch(
        new RegExp(`alertname: ${alert}\\n\\s+exp_alerts:\\n|alertname="${alert}",alertstate="firing"`),
      );
    }
  });

  test.skipIf(noPromtool)('passes promtool (skipped where it is not installed)', () => {
    const rules = promtool(['check', 'rules', `${folder}prometheus/alerts.yaml`]);
    expect(rules).toMatchObject({ status: 0, output: expect.stringContaining('12 rules found') as string });
    const tested = promtool(['test', 'rules', `${folder}prometheus/alerts.test.yaml`]);
    expect(tested).toMatchObject({ status: 0, output: expect.stringContaining('SUCCESS') as string });
  });
});

describe('the reference of metrics', () => {
  test('lists exactly the metrics, with their types and labels', () => {
    const rows = Array.from(
      page.matchAll(/^\| `(\w+)` \| (\w+) \|(.*?)\| (local|cluster) \|/gm),
      ([, name, type, labels]) =>
        [name!, { type, labels: Array.from(labels!.matchAll(/`(\w+)`/g), ([, label]) => label) }] as const,
    );
    const expected = names.map(
      (name) => [name, { type: typed[name]!.type, labels: [...typed[name]!.labels] }] as const,
    );
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(expected));
    expect(rows).toHaveLength(names.length);
  });

  test('says of each whose value it is, as its HELP does', () => {
    for (const [, name, scope] of page.matchAll(/^\| `(\w+)` \| \w+ \|.*?\| (local|cluster) \|/gm)) {
      const { help } = (catalogue as Record<string, { help: string }>)[name!]!;
      expect(help, name).toContain(scope === 'cluster' ? 'max() over processes' : 'sum() over processes');
    }
  });
});
