/** Resolves on Ctrl-C or SIGTERM, or after SAMPLE_SECONDS. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const seconds = Number(process.env.SAMPLE_SECONDS);
    if (seconds > 0) setTimeout(resolve, seconds * 1_000);
    else console.log('Ctrl-C stops.\n');
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
