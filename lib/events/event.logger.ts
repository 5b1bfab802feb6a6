import { Logger } from '@nestjs/common';
import type { ChronisEvents } from './chronis.events.js';
import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import { logSentences, type LogLine } from './log.sentences.js';

/**
 * Writes the sentences of all events to Nest's logger. A storage that keeps failing is told once, not at each try.
 */
export function logEvents(events: ChronisEvents): () => void {
  const logger = new Logger('Chronis');
  const failing = new Set<string>();
  return events.onAny(<N extends ChronisEventName>(name: N, event: ChronisEventMap[N]) => {
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
    write(logger, line);
  });
}

function write(logger: Logger, { level, text, stack }: LogLine): void {
  if (level === 'error' && stack !== undefined) logger.error(text, stack);
  else logger[level](text);
}
