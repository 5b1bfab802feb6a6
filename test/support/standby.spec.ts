import { afterEach, describe, expect, test } from 'vitest';
import { replicationBinaries, replicationNeeds, startServer, type ClusterServer } from './standby.js';

const isPossible = replicationBinaries() !== null;

describe.skipIf(!isPossible)(`a server with a standby (${isPossible ? 'here' : replicationNeeds})`, () => {
  const servers: ClusterServer[] = [];

  afterEach(() => {
    for (const server of servers.splice(0)) server.vanish();
  });

  async function pair(): Promise<[ClusterServer, ClusterServer]> {
    const primary = await startServer();
    servers.push(primary);
    await primary.query('create table note (id int)');
    const standby = await primary.standby();
    servers.push(standby);
    return [primary, standby];
  }

  const noted = (server: ClusterServer) => server.query<{ id: number }>('select id from note order by id');

  test('a promoted standby has what was committed while it followed, and nothing of what came later', async () => {
    const [primary, standby] = await pair();
    await primary.query('insert into note values (1)');
    await primary.untilFollowed(standby);
    await standby.fallBehind();
    await primary.query('insert into note values (2)');
    await primary.stop('immediate');
    await standby.promote();
    await standby.query('insert into note values (3)');
    expect(await noted(standby)).toEqual([{ id: 1 }, { id: 3 }]);
  });

  test('a standby that is waited for has every commit that was answered', async () => {
    const [primary, standby] = await pair();
    await primary.waitForStandbys();
    await primary.query('insert into note values (1)');
    await primary.stop('immediate');
    await standby.promote();
    expect(await noted(standby)).toEqual([{ id: 1 }]);
  });

  test('a server that goes back has lost what came after its backup', async () => {
    const server = await startServer();
    servers.push(server);
    await server.query('create table note (id int)');
    await server.backUp();
    await server.query('insert into note values (1)');
    await server.goBack();
    expect(await server.query('select id from note')).toEqual([]);
  });
});
