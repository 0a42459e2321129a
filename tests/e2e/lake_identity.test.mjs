// One database, one lake: a machine that comes with a lake of its own is refused before it splits bronze; a lake that was moved is taken on somebody's word.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, NO_QUOTA } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'solutions', '--mode', 'full'];
let postgres, sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '1', '--seed', '3', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

test('a second machine with the default lake is refused, and told of both lakes', async () => {
  // The default lake of each machine: $PCW_HOME/lake.
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_LAKE_URL: '' });
  assert.equal((await here.pcw(SYNC)).code, 0);
  await sim.resetCalls();
  const other = { PCW_HOME: path.join(here.dir, 'second-machine') };

  const refused = await here.pcw(['--set', 'logging.level=INFO', ...SYNC], other);

  assert.equal(refused.code, 78, refused.stderr);
  assert.match(refused.stderr, /bronze of this database lies in file:\/\/.*\/home\/lake on .*second-machine\/lake on .*pcw --set logging\.level=INFO db lake --accept/s);
  assert.ok(!existsSync(path.join(other.PCW_HOME, 'lake', 'bronze')), 'nothing was written there');
  assert.deepEqual(await sim.calls(), [], 'and nothing called');
  assert.equal((await here.pcw(['serve', '--roles', 'scheduler'], other)).code, 78);
  assert.equal((await here.pcw(SYNC)).code, 0, 'the first machine goes on');
});

test('a lake that was moved as a whole keeps its identity; another one is taken on somebody\'s word', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  assert.equal((await here.pcw(SYNC)).code, 0);
  const moved = path.join(here.dir, 'moved');
  cpSync(here.lake, moved, { recursive: true });
  assert.equal((await here.pcw(SYNC, { PCW_LAKE_URL: `file://${moved}` })).code, 0);

  const fresh = { PCW_LAKE_URL: `file://${path.join(here.dir, 'fresh')}` };
  assert.equal((await here.pcw(SYNC, fresh)).code, 78);
  assert.equal((await here.pcw(['db', 'lake', '--accept'], fresh)).code, 0);
  assert.equal((await here.pcw(SYNC, fresh)).code, 0);
  assert.equal((await here.pcw(SYNC)).code, 78, 'the old one is another lake now');
  const listed = await here.pcw(['bronze', 'ls', '-o', 'json'], fresh);
  assert.ok(!listed.stdout.includes('.lake-id') && readdirSync(path.join(here.dir, 'fresh')).includes('.lake-id'));
});
