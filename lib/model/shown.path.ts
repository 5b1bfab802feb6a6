/** Of a long way the begin and the end tell where it is. */
const mostBefore = 12;
const mostAfter = 8;
const longestKey = 60;

/** The way to a culprit, as part of a sentence: `.items[3].price`. */
export function shownPath(keys: readonly (string | number)[]): string {
  if (keys.length <= mostBefore + mostAfter) return keys.map(shownKey).join('');
  const [before, after] = [keys.slice(0, mostBefore), keys.slice(-mostAfter)];
  return `${before.map(shownKey).join('')}…${after.map(shownKey).join('')}`;
}

function shownKey(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  const short = key.length > longestKey ? `${key.slice(0, longestKey)}…` : key;
  return /^[A-Za-z_$][\w$]*$/.test(short) ? `.${short}` : `[${JSON.stringify(short)}]`;
}
