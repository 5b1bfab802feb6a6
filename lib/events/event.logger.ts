import { Logger } from '@nestjs/common';
import type { ChronisEvents } from './chronis.events.js';
import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import { LogRecord } from './log.record.js';
import { logSentences, type LogLine } from './log.sentences.js';
import { ToldOutages } from './told.outages.js';

export interface LogSettings {
  format: 'text' | 'json';
  /** Events that are not written. */
  silent: ReadonlySet<ChronisEventName>;
}

const everything: LogSettings = { format: 'text', silent: new Set() };

/**
 * Writes the sentences of all events to Nest's logger. A storage that keeps failing is told once, not at each try, nor for each operation.
 */
export function logEvents(
  events: ChronisEvents,
  { format, silent }: LogSettings = everything,
  context = 'Chronis',
): () => void {
  const logger = new Logger(context);
  const outages = new ToldOutages();
  const isNews = (name: ChronisEventName, event: unknown): boolean => {
    if (name === 'storage.failing') return outages.begins(event as ChronisEventMap['storage.failing']);
    return name !== 'storage.recovered' || outages.ends(event as ChronisEventMap['storage.recovered']);
  };
  const wants = (name: ChronisEventName): boolean => {
    if (logSentences[name] === null || silent.has(name)) return false;
    // On the way of every run: not even put together unless somebody reads it.
    return name !== 'run.succeeded' || Logger.isLevelEnabled('debug');
  };
  const write = <N extends ChronisEventName>(name: N, event: ChronisEventMap[N]): void => {
    const line = logSentences[name]?.(event);
    if (!line) return;
    if (!isNews(name, event)) line.level = 'debug';
    if (format === 'json') logger[line.level](new LogRecord(name, line.text, event));
    else writeText(logger, line);
  };
  return events.onAny(write, { wants });
}

function writeText(logger: Logger, { level, text, stack }: LogLine): void {
  if (level === 'error' && stack !== undefined) logger.error(text, stack);
  else logger[level](text);
}
