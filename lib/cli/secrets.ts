/** Shorter ones are words that may stand anywhere: they are taken out within URLs only. */
const shortestSecret = 4;

/** A URL without its password. Text that is no URL loses what stands before an `@`. */
export function withoutPassword(url: string): string {
  return url
    .replace(/^([a-z][\w+.-]*:\/\/)([^/?#]*)@/i, (_, scheme: string, user: string) => {
      const name = user.split(':')[0]!;
      return `${scheme}${user.includes(':') ? `${name}:***` : name}@`;
    })
    .replace(/([?&](?:password|sslpassword|pass)=)[^&]*/gi, '$1***');
}

/** What was given, and each `NAME=URL` of a list, without the name. */
export function urlsIn(given: string | undefined): string[] {
  if (given === undefined) return [];
  return [given, ...given.split(',').map((each) => each.trim().replace(/^[^=:/]+=/, ''))];
}

/** The passwords that this process was given. */
export function passwordsIn(
  texts: readonly (string | undefined)[],
  plain: readonly (string | undefined)[],
): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    const password = /^[a-z][\w+.-]*:\/\/[^/?#]*?:([^/?#]*)@/i.exec(text ?? '')?.[1];
    const parameters = [...(text ?? '').matchAll(/[?&](?:password|sslpassword|pass)=([^&]*)/gi)];
    for (const raw of [password, ...parameters.map((match) => match[1])]) {
      if (raw === undefined || raw === '') continue;
      found.add(raw);
      found.add(decoded(raw));
    }
  }
  for (const text of plain) if (text) found.add(text);
  return [...found].toSorted((one, other) => other.length - one.length);
}

/** Takes passwords out of whatever is written, wherever it comes from. */
export function scrubber(passwords: readonly string[]): (text: string) => string {
  const whole = passwords.filter((password) => password.length >= shortestSecret);
  return (text) => {
    let clean = text;
    for (const password of passwords) clean = clean.replaceAll(`:${password}@`, ':***@');
    for (const password of whole) clean = clean.replaceAll(password, '***');
    return clean;
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
