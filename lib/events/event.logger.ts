import { Logger } from '@nestjs/common';
import type { ChronisEvents } from './chronis.events.js';
import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import type { EventOrigin } from './event.origin.js';
import { LogRecord } from './log.record.js';
import { logSentences, type LogLine } from './log.sentences.js';
import { asOneEntry } from './log.words.js';
import { usualRedactor, type Redactor } from './redactor.js';
import { Repetitions } from './repetitions.js';
import { ToldOutages } from './told.outages.js';

export interface LogSettings {
  format: 'text' | 'json';
  /** Events that are not written. */
  silent: ReadonlySet<ChronisEventName>;
  /** Also what repeats itself. */
  everyRun: boolean;
}

const everything: LogSettings = { format: 'text', silent: new Set(), everyRun: true };

/**
 * Writes the sentences of all events to Nest's logger. A storage that keeps failing is told once, not at each try, nor for each operation.
 */
export function logEvents(
  events: ChronisEvents,
  { format, silent, everyRun }: LogSettings = everything,
  context = 'Chronis',
  redactor: Redactor = usualRedactor,
): () => void {
  const logger = new Logger(context);
  const outages = new ToldOutages();
  const repetitions = everyRun ? null : new Repetitions();
  const isNews = (name: ChronisEventName, event: unknown): boolean => {
    if (name === 'storage.failing') return outages.begins(event as ChronisEventMap['storage.failing']);
    return name !== 'storage.recovered' || outages.ends(event as ChronisEventMap['storage.recovered']);
  };
  const asTold = <N extends ChronisEventName>(name: N, event: ChronisEventMap[N]): ChronisEventMap[N] => {
    if (name !== 'storage.recovered') return event;
    return { ...event, operation: outages.nameOf(event as ChronisEventMap['storage.recovered']) };
  };
  const wants = (name: ChronisEventName): boolean => {
    if (logSentences[name] === null || silent.has(name)) return false;
    // On the way of every run: not even put together unless somebody reads it.
    return name !== 'run.succeeded' || Logger.isLevelEnabled('debug');
  };
  const write = <N extends ChronisEventName>(
    name: N,
    event: ChronisEventMap[N],
    { at }: EventOrigin,
  ): void => {
    const untold = repetitions === null ? 0 : repetitions.untold(name, event, at.getTime());
    if (untold === null) return;
    const isTold = isNews(name, event);
    const line = logSentences[name]?.(asTold(name, event));
    if (!line) return;
    if (untold > 0) line.text += ` ${untold} more since the last of these lines.`;
    if (!isTold) line.level = 'debug';
    line.text = redactor.text(line.text, 'log', 'message');
    if (line.stack !== undefined) line.stack = redactor.text(line.stack, 'log', 'stack');
    if (format === 'json') logger[line.level](new LogRecord(name, line.text, event, redactor));
    else writeText(logger, line);
  };
  return events.onAny(write, { wants });
}

function writeText(logger: Logger, { level, text, stack }: LogLine): void {
  const entry = asOneEntry(text);
  if (level === 'error' && stack !== undefined) logger.error(entry, asOneEntry(stack));
  else logger[level](entry);
}
