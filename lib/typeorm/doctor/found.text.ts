/** A text that was read from the server, without what follows a password in it. */
export function maskedText(text: string): string {
  return text
    .replaceAll(/(password\s*[=:]\s*)[^\s;&]+/gi, '$1…')
    .replaceAll(/(:\/\/[^:/@\s]+:)\S+@/g, '$1…@');
}
