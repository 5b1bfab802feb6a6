// Results as Markdown tables.
import { ratio } from './figures.mjs';

export const ourName = 'chronis';

/** Three digits that count; thousands apart. */
export function shown(value) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) {
    return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
  }
  return value.toFixed(size >= 10 ? 1 : 2);
}

/** A table for each setting and measure: a line per system, with what it keeps and how far ours is ahead of it. */
export function tables(results, keeps = {}) {
  const groups = groupBy(results, titleOf);
  return [...groups].map(([title, group]) => tableOf(title, group, keeps)).join('\n');
}

function tableOf(title, group, keeps) {
  const ours = group.find(({ system }) => system === ourName);
  const lines = group.map((result) => {
    const ahead = ours && result !== ours ? ratio(ours, result) : null;
    const cells = [
      result.system,
      shown(result.median),
      `${shown(result.min)} – ${shown(result.max)}`,
      ahead === null ? '' : `${shown(ahead)} ×`,
      keeps[result.system] ?? '',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `**${title}** (${group[0].unit})`,
    '',
    `| system | median of ${Math.max(...group.map(({ runs }) => runs.length))} | min – max | chronis is ahead | keeps |`,
    '| --- | ---: | ---: | ---: | --- |',
    ...lines,
    '',
  ].join('\n');
}

const titleOf = ({ setting, measure }) => `${setting}: ${measure}`;

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
