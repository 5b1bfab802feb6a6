// Which systems take part, and why some do not.
import { nodeFor, reachable } from './environment.mjs';
import { ourName } from './table.mjs';

/** `{ taking: about[], skipped: { system, reason }[], execPath }`; ours comes first. */
export async function chooseSystems(peers) {
  const abouts = [];
  for (const name of [ourName, ...peers]) abouts.push((await import(`./systems/${name}.mjs`)).about);
  const execPath = nodeFor(abouts);
  const skipped = [];
  const taking = [];
  for (const about of abouts) {
    const reason = await reasonAgainst(about, execPath);
    if (reason === null) taking.push(about);
    else skipped.push({ system: about.name, setting: null, reason });
  }
  return { taking, skipped, execPath };
}

async function reasonAgainst({ minNode, needsRedis }, execPath) {
  if (minNode && execPath === process.execPath && Number(process.versions.node.split('.')[0]) < minNode) {
    return `needs Node ${minNode}, and the npm package "node" in bench/ was not set up (are install scripts off?)`;
  }
  if (!needsRedis) return null;
  const url = process.env.REDIS_URL;
  if (!url) return 'REDIS_URL names no Redis';
  return (await reachable(url)) ? null : `nobody answers at REDIS_URL ${url}`;
}
