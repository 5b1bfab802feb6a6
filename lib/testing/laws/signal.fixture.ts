import assert from 'node:assert/strict';
import { SystemClock, type Wake, type WakeSignal } from '../../index.js';
import { second } from './fixture.js';

/** What a signal delivers; `next` resolves with the first one that `matches`, or rejects after five seconds. */
export async function listen(signal: WakeSignal): Promise<{
  next: (matches: (wake: Wake) => boolean) => Promise<Wake>;
  end: () => Promise<void>;
}> {
  const heard: Wake[] = [];
  let tell = (): void => undefined;
  const end = await signal.subscribe((wake) => {
    heard.push(wake);
    tell();
  });
  const next = (matches: (wake: Wake) => boolean): Promise<Wake> =>
    new Promise((resolve, reject) => {
      const cancel = new SystemClock().setTimer(5 * second, () =>
        reject(
          new assert.AssertionError({
            message: `The signal was not delivered. Heard: ${JSON.stringify(heard)}`,
          }),
        ),
      );
      tell = () => {
        const found = heard.findIndex(matches);
        if (found < 0) return;
        tell = () => undefined;
        cancel();
        resolve(heard.splice(found, 1)[0]);
      };
      tell();
    });
  return { next, end };
}
