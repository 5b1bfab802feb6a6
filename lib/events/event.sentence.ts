import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import { logSentences } from './log.sentences.js';

/** The sentence that the log has of an event, without passwords; the name of one that has none. Not cut: errors in it have 1,000 characters at most. @publicApi */
export function sentenceOf<N extends ChronisEventName>(name: N, event: ChronisEventMap[N]): string {
  return logSentences[name]?.(event).text ?? name;
}
