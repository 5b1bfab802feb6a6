import { FileFault } from './file.fault.js';

/** More is no definition of jobs: it would be read again and again. */
export const maxFileBytes = 4 * 1024 * 1024;

/** The text of a file: UTF-8, with or without a byte order mark. Throws FileFault. */
export function textOf(bytes: Uint8Array): string {
  if (bytes.length > maxFileBytes)
    throw new FileFault(`The file has ${bytes.length} bytes. At most ${maxFileBytes} are read.`);
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    throw new FileFault('The file is UTF-16. Save it as UTF-8.');
  let text: string;
  try {
    // Takes the mark off.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FileFault('The file is not UTF-8. Save it as UTF-8.', undefined, { cause });
  }
  if (text.includes('\0')) throw new FileFault('The file has a zero byte: it is no text, or half-written.');
  if (text.trim() === '') throw new FileFault('The file is empty.');
  return text;
}
