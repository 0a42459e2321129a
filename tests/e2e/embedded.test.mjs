// The private PostgreSQL server: one for all pcw processes of a home, gone with the last of them, and never in the way after a kill -9 of either.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { Postgres, Sim, run, scratch, ACCESS_KEY, SECRET_KEY, NO_QUOTA } from './harness.mjs';

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
    pcw: (args, options, more = {}) => run(args, { ...env, ...more }, options),
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

/** Another server of the same user as the private one, which pcw has nothing to do with. */
async function strangerServer() {
  const other = await Postgres.start();
  const [pid] = readFileSync(path.join(other.data, 'postmaster.pid'), 'utf8').split('\n');
  return { pid, alive: () => other.sql('SELECT 1') === '1', stop: () => other.stop() };
}

test('a stale postmaster.pid that names another cluster: pcw works, and the other cluster is never signalled', async () => {
  const here = home();
  assert.equal((await here.pcw(['runs', 'list'])).code, 0);
  assert.ok(!here.isRunning());
  const other = await strangerServer();
  try {
    const file = path.join(here.env.PCW_HOME, 'pg', 'postmaster.pid');
    writeFileSync(file, `${other.pid}\n${path.join(here.env.PCW_HOME, 'pg')}\n1700000000\n5432\n/nowhere\n\n  5432001         7\nready   \n`);
    if (process.getuid() === 0) chownSync(file, statSync(path.dirname(file)).uid, statSync(path.dirname(file)).gid);

    const listed = await here.pcw(['runs', 'list']);

    assert.equal(listed.code, 0, listed.stderr);
    assert.ok(other.alive(), 'the other cluster goes on');
    assert.equal(here.serverPid(), 0, 'our own was started, and stopped');
  } finally {
    await other.stop();
  }
});

test('a server that stands at another socket is adopted by what it wrote down', async () => {
  const here = home();
  const { child, result } = await midSync(here);
  const elsewhere = scratch('pcw-runtime-');
  // As a process that would have put the socket elsewhere: another runtime directory, or root beside the service.
  const listed = await here.pcw(['runs', 'list', '-o', 'json'], {}, { XDG_RUNTIME_DIR: elsewhere });

  assert.equal(listed.code, 0, listed.stderr);
  assert.equal(JSON.parse(listed.stdout)[0].status, 'running');
  assert.equal(child.exitCode, null);
  assert.equal((await result).code, 0);
});

test('a home that belongs to somebody else is named with its owner, and nothing is advised away', { skip: process.getuid() !== 0 && 'only root can give a directory away' }, async () => {
  const here = home();
  assert.equal((await here.pcw(['runs', 'list'])).code, 0);
  // As root's hand left it: the home is one user's, the cluster another's.
  chmodSync(path.dirname(here.env.PCW_HOME), 0o755);
  for (const file of [here.env.PCW_HOME]) chownSync(file, 65534, 65534);

  const refused = await here.pcw(['runs', 'list']);

  assert.equal(refused.code, 78, refused.stderr);
  assert.match(refused.stderr, /pg belongs to the user postgres, and this pcw works as nobody/);
  assert.match(refused.stderr, /chown -R nobody/);
  assert.doesNotMatch(refused.stderr, /remove/);
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
