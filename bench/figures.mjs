// Numbers about numbers.

/** A share of the values is at most this: 0.5 for the median. NaN for no values. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN;
}

/** The middle one, or the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * One result for each system, setting and measure, in the order of their first sample.
 * A sample: `{ system, setting, measure, value, unit, better: 'more' | 'less' | null }`.
 */
export function summarize(samples) {
  const groups = new Map();
  for (const sample of samples) {
    const key = JSON.stringify([sample.setting, sample.measure, sample.system]);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(sample);
  }
  return [...groups.values()].map((group) => {
    const { system, setting, measure, unit, better } = group[0];
    const runs = group.map(({ value }) => value);
    return {
      system,
      setting,
      measure,
      median: median(runs),
      min: Math.min(...runs),
      max: Math.max(...runs),
      unit,
      better,
      runs,
    };
  });
}

/** How many times better ours is than the peer's: above 1 ours is ahead. null where that means nothing. */
export function ratio(ours, peer) {
  if (ours.better === null) return null;
  const [upper, lower] = ours.better === 'more' ? [ours.median, peer.median] : [peer.median, ours.median];
  return lower > 0 && Number.isFinite(upper) ? upper / lower : null;
}
