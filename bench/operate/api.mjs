// The process of the API, from the parent's side.
import { fork } from 'node:child_process';
import { once } from 'node:events';

/** `readTimeout`: of the API, such as '60s'. `shareAnswers`: as the API takes it, or 'false'. */
export async function startApi(database, readTimeout, shareAnswers = 'false') {
  return started(fork(childFile('api'), [database, readTimeout, shareAnswers], childOptions));
}

/** A process that asks nobody: it has an answer for each path. */
export async function startConstant(answers) {
  const child = fork(childFile('constant'), [], childOptions);
  child.send(answers);
  return started(child);
}

const childFile = (name) => new URL(`${name}.child.mjs`, import.meta.url);
const childOptions = {
  cwd: import.meta.dirname,
  env: { ...process.env, NODE_ENV: 'production' },
  serialization: 'advanced',
};

async function started(child) {
  const ended = new Promise((_, reject) => {
    child.once('exit', (code) => reject(new Error(`The process of the API ended with code ${code}.`)));
  });
  ended.catch(() => undefined);
  const next = async () => (await Promise.race([once(child, 'message'), ended]))[0];
  const { url } = await next();
  return {
    url,
    /** What it has sent to the database since it was asked before: `{ text, values }` each. */
    async takeSent() {
      const answer = next();
      child.send('take');
      return (await answer).sent;
    },
    /** Reads all of an answer. */
    async get(path) {
      const begun = performance.now();
      const answer = await fetch(url + path);
      const body = await answer.text();
      return { status: answer.status, body, ms: performance.now() - begun };
    },
    async stop() {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}
