import { codeOf, framesOf, isError, messageOnly, nameOf } from '../events/thrown.parts.js';
import { fingerprintOf, withoutParticulars } from '../ports/fingerprint.js';

/** Of the frames; those behind them depend on who has called, and on how many the process keeps. */
const mostFrames = 5;
const longestMessage = 1_000;
const longestFrame = 500;
const installed = /[\\/]node_modules[\\/]/;
/** Where a frame ends: line and column, which each change of the file moves. */
const place = /:\d+(?::\d+)?(?=\)?$)/;

/**
 * What failures of one kind have in common, in 16 hex digits: name and code of the error and where in the application it was thrown, or, where no frame says, its message without quoted texts,
 * ids and numbers. The same on all machines: of a file its name and its folder count. Nothing here throws.
 */
export function errorFingerprint(error: unknown): string {
  const name = isError(error) ? nameOf(error) : '';
  const code = isError(error) ? String(codeOf(error) ?? '') : '';
  const places = placesOf(framesOf(error));
  if (places.length > 0) return fingerprintOf(name, code, ...places);
  return fingerprintOf(name, code, withoutParticulars(messageOnly(error, longestMessage)));
}

/** Those of the application, where there are some; what calls itself is there once. */
function placesOf(frames: readonly string[]): string[] {
  const own = frames.filter((frame) => !installed.test(frame));
  const places = (own.length > 0 ? own : frames).map(placeOf);
  return [...new Set(places)].slice(0, mostFrames);
}

/** Function and file, without the folders that differ by machine and by release, and without what a build puts into names. */
function placeOf(frame: string): string {
  const text = frame.trim().slice(-longestFrame).replace(place, '').replaceAll('\\', '/');
  const whole = text.replace(/(?:file:\/\/)?(?:[A-Za-z]:)?\/[^()]*\/(?=[^/()]*\/[^/()]*\)?$)/, '');
  return withoutParticulars(whole);
}
