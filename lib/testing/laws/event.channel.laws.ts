import assert from 'node:assert/strict';
import type { EventChannel } from '../../index.js';
import { lawsOf } from '../law.js';

/** What comes over a channel; `until` resolves when the message is there. */
async function listen(channel: EventChannel) {
  const heard: string[] = [];
  let tell = (): void => undefined;
  const end = await channel.subscribe((message) => {
    heard.push(message);
    tell();
  });
  const until = (message: string): Promise<void> =>
    new Promise((resolve) => {
      tell = () => {
        if (heard.includes(message)) resolve();
      };
      tell();
    });
  return { heard, until, end };
}

export const eventChannelLaws = lawsOf('event channel', {
  'delivers messages in order to all adapters, the sender included': async ({ storage, open }) => {
    const other = await open();
    if (!storage.eventChannel || !other.eventChannel) return;
    const [own, others] = [await listen(storage.eventChannel), await listen(other.eventChannel)];
    await storage.eventChannel.publish(['a', 'b']);
    await storage.eventChannel.publish(['c', 'é\u{1F916}', 'last']);
    for (const { heard, until, end } of [own, others]) {
      await until('last');
      assert.deepEqual(heard, ['a', 'b', 'c', 'é\u{1F916}', 'last']);
      await end();
    }
  },

  'carries the longest message that it promises to carry': async ({ storage }) => {
    const { eventChannel } = storage;
    if (!eventChannel) return;
    const { until, end } = await listen(eventChannel);
    const longest = 'é'.repeat(Math.floor(eventChannel.maxBytes / 2)) + 'x'.repeat(eventChannel.maxBytes % 2);
    await eventChannel.publish([longest]);
    await until(longest);
    await end();
  },

  'tells nobody after the end of a subscription, and the others as before': async ({ storage }) => {
    const { eventChannel } = storage;
    if (!eventChannel) return;
    const gone = await listen(eventChannel);
    const kept = await listen(eventChannel);
    await gone.end();
    await eventChannel.publish(['a']);
    await kept.until('a');
    assert.deepEqual(gone.heard, []);
    await kept.end();
    const again = await listen(eventChannel);
    await eventChannel.publish(['b']);
    await again.until('b');
    assert.deepEqual(again.heard, ['b']);
    await again.end();
  },
});
