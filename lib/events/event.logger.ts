import { Logger } from '@nestjs/common';
import type { ChronisEvents } from './chronis.events.js';
import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import { LogRecord } from './log.record.js';
import { logSentences, type LogLine } from './log.sentences.js';

export interface LogSettings {
  format: 'text' | 'json';
  /** Events that are not written. */
  silent: ReadonlySet<ChronisEventName>;
}

const everything: LogSettings = { format: 'text', silent: new Set() };

/**
 * Writes the sentences of all events to Nest's logger. A storage that keeps failing is told once, not at each try.
 */
export function logEvents(events: ChronisEvents, { format, silent }: LogSettings = everything): () => void {
  const logger = new Logger('Chronis');
  const failing = new Set<string>();
  return events.onAny(<N extends ChronisEventName>(name: N, event: ChronisEventMap[N]) => {
    if (silent.has(name)) return;
    // On the way of every run: not even put into words unless somebody reads it.
    if (name === 'run.succeeded' && !Logger.isLevelEnabled('debug')) return;
    const line = logSentences[name]?.(event);
    if (!line) return;
    if (name === 'storage.failing' || name === 'storage.recovered') {
      const { operation } = event as ChronisEventMap['storage.failing' | 'storage.recovered'];
      if (name === 'storage.recovered') failing.clear();
      else if (failing.has(operation)) line.level = 'debug';
      else failing.add(operation);
    }
    if (format === 'json') logger[line.level](new LogRecord(name, line.text, event));
    else write(logger, line);
  });
}

function write(logger: Logger, { level, text, stack }: LogLine): void {
  if (level === 'error' && stack !== undefined) logger.error(text, stack);
  else logger[level](text);
}
