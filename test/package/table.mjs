/** One row per application, one column per way: for the guide. */
export function tableOf(results) {
  const columns = [...new Set(results.map(({ step }) => step))];
  const places = [...new Set(results.map(({ place }) => place))].toSorted((a, b) => a.localeCompare(b));
  const cell = (place, column) => {
    const found = results.find((result) => result.place === place && result.step === column);
    return found === undefined ? '–' : found.works ? '✓' : '✗';
  };
  const rows = places.map((place) => [place, ...columns.map((column) => cell(place, column))]);
  return [['', ...columns], ['---', ...columns.map(() => ':-:')], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}
