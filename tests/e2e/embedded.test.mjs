// The private PostgreSQL server: one for all pcw processes of a home, gone with the last of them, and never in the way after a kill -9 of either.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { Sim, run, scratch, ACCESS_KEY, SECRET_KEY, NO_QUOTA } from './harness.mjs';

const FULL = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
let sim;
before(async () => { sim = await Sim.start(['--opportunities', '400', '--no-quota', '--latency', '10']); });
after(async () => { await sim.stop(); });

/** A home of its own, without a database. The server of a failed test is stopped at exit. */
function home(name = 'home') {
  const env = {
    PCW_HOME: path.join(scratch('pcw-embedded-'), name), AWS_ENDPOINT_URL: sim.url, AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY, PCW_SYNC_PART_RECORDS: '50', ...NO_QUOTA,
  };
  const pidFile = path.join(env.PCW_HOME, 'pg', 'postmaster.pid');
  const here = {
    env,
    serverPid: () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0),
    isRunning: () => {
      try {
        return process.kill(here.serverPid() || -(2 ** 30), 0);
      } catch (problem) {
        return problem.code === 'EPERM';
      }
    },
    pcw: (args, options) => run(args, env, options),
    rows: async () => (await here.pcw(['db', 'psql'], { input: 'SELECT count(*) FROM partnercentral_opportunities;' })).stdout,
  };
  process.on('exit', () => {
    if (here.isRunning()) process.kill(here.serverPid(), 'SIGQUIT');
  });
  return here;
}

/** Starts a full sync and waits until it has committed something. */
async function midSync(here) {
  let child;
  const result = here.pcw(FULL, { onSpawn: (spawned) => { child = spawned; } });
  const manifest = path.join(here.env.PCW_HOME, 'lake', 'bronze');
  while (!existsSync(manifest) && child.exitCode === null) await new Promise((done) => setImmediate(done));
  return { child, result };
}

test('the last process stops the server, not the first that ends', async () => {
  const here = home();
  const { child, result } = await midSync(here);

  const listed = await here.pcw(['runs', 'list', '-o', 'json']);

  assert.equal(listed.code, 0, listed.stderr);
  assert.equal(JSON.parse(listed.stdout)[0].status, 'running');
  assert.equal(child.exitCode, null, 'the sync goes on');
  assert.ok(here.isRunning(), 'and so does its server');
  const done = await result;
  assert.equal(done.code, 0, done.stderr);
  assert.ok(!here.isRunning(), 'the last one stopped it');
});

test('after kill -9 of pcw its server is adopted, the run is completed and the server stopped', async () => {
  const here = home();
  const { child } = await midSync(here);
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  assert.ok(here.isRunning(), 'the orphan');

  const again = await here.pcw(FULL);

  assert.equal(again.code, 0, again.stderr);
  assert.match(await here.rows(), /\b400\b/);
  assert.ok(!here.isRunning());
});

test('kill -9 of the server in mid-run: the run rides it out', async () => {
  const here = home();
  const { result } = await midSync(here);
  process.kill(here.serverPid(), 'SIGKILL');

  const done = await result;

  assert.equal(done.code, 0, done.stderr);
  assert.match(await here.rows(), /\b400\b/);
  assert.ok(!here.isRunning());
});

test('two first runs at once make one cluster', async () => {
  const here = home();
  const results = await Promise.all([here.pcw(['runs', 'list']), here.pcw(['quota', 'show']), here.pcw(['dlq', 'list'])]);
  for (const { code, stderr } of results) assert.equal(code, 0, stderr);
  assert.ok(!here.isRunning());
});

test('a home with a path that is too long for a socket works all the same', async () => {
  const here = home('x'.repeat(120));
  const done = await here.pcw(['db', 'status']);
  assert.equal(done.code, 0, done.stderr);
});
