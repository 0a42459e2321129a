// What ends a command, and how: signals, a reader that leaves, a machine that gives no more memory or threads, no place for the state.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PCW, Postgres, Sim, site, run, scratch, NO_QUOTA } from './harness.mjs';
import { Service, until } from './service.mjs';

const IS_ROOT = process.getuid() === 0;

let postgres, sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '2000', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

test('SIGHUP makes the service read its files again', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  const config = path.join(here.dir, 'pcw.yaml');
  writeFileSync(config, 'logging: { level: INFO }\n');
  const service = await Service.start({ ...here.env, PCW_CONFIG: config }, ['--roles', 'api']);
  try {
    service.signal('SIGHUP');
    await service.line((line) => /^SIGHUP/.test(line.msg), 'the reload');
    service.signal('SIGHUP');
    service.signal('SIGHUP');
    const { url } = await service.line((line) => line.msg === 'serving');
    assert.equal((await fetch(`${url}/healthz`)).status, 200, 'it goes on');
  } finally {
    assert.equal((await service.stop()).code, 0);
  }
});

test('SIGHUP ends every other verb as SIGTERM does', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  for (const signal of ['SIGTERM', 'SIGHUP']) {
    const result = await here.pcw(['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'], { PCW_CONNECTORS_PARTNER_CENTRAL_MIN_INTERVAL: '20ms' }, {
      onSpawn: (child) => until(here, postgres, "SELECT count(*) FROM ingestion_runs WHERE status = 'running'", (n) => n === '1').then(() => child.kill(signal)) });
    assert.equal(result.code, 130, `${signal}: ${result.signal} ${result.stderr}`);
    assert.equal(here.sql('SELECT status FROM ingestion_runs ORDER BY id DESC LIMIT 1'), 'cancelled');
  }
  const alone = spawn(PCW, ['sim', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } });
  await once(alone.stdout, 'data');
  alone.kill('SIGHUP');
  assert.deepEqual(await once(alone, 'exit'), [0, null]);
});

test('nohup keeps its word', async () => {
  const child = spawn('sh', ['-c', `trap '' HUP; exec ${PCW} sim --port 0`], { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } });
  await once(child.stdout, 'data');
  child.kill('SIGHUP');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a reader that has seen enough ends a long output silently', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  assert.equal((await here.pcw(['db', 'status'])).code, 0);
  here.sql("INSERT INTO connectors (tenant_id, kind, name, status) VALUES ('00000000-0000-0000-0000-000000000001', 'partner_central', 'pc', 'enabled') ON CONFLICT DO NOTHING");
  here.sql(`INSERT INTO dead_letters (tenant_id, id, connector_id, entity, catalog, record_key, stage, error_code, error) SELECT tenant_id, gen_random_uuid(), id, 'opportunities', 'AWS', 'O' || n, 'fetch', 'not_found', 'gone'
    FROM connectors, generate_series(1, 5000) n`);
  for (const command of ['dlq list --limit 100000 -o ndjson', 'dlq list --limit 100000', 'dlq list --limit 100000 -o json', 'man', 'doctor --codes']) {
    const done = spawnSync('bash', ['-c', `set -o pipefail; "$PCW" ${command} | head -1`], { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: '/nonexistent', ...here.env, PCW } });
    assert.deepEqual([done.status, done.stderr.replace(/^pcw: warning: the database login is a superuser.*\n/, ''), done.stdout.split('\n').length], [0, '', 2], command);
  }
});

test('too little memory or too few threads are an error with a message, and never an abort', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  const results = [];
  for (const megabytes of [150, 250, 350, 400]) {
    const done = spawnSync('prlimit', [`--as=${megabytes << 20}`, PCW, 'sync', 'run', 'partner-central', 'profiles'], { encoding: 'utf8', timeout: 60_000, env: { PATH: process.env.PATH, HOME: '/nonexistent', ...here.env } });
    results.push([megabytes, done.status, done.signal, done.stderr.trim().split('\n').at(-1)]);
    assert.equal(done.signal, null, JSON.stringify(results));
    assert.ok([0, 1, 3, 69, 70, 127].includes(done.status), JSON.stringify(results));  // 127: the loader found no room for the program itself
    if (done.status === 69) assert.match(done.stderr, /memory|threads|unavailable|reach|limit/i);
  }
});

test('no place for the state is a configuration error, never /tmp', { skip: !IS_ROOT && 'needs root' }, async () => {
  const dir = scratch();
  const done = spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', PCW, 'runs', 'list'], { encoding: 'utf8', cwd: '/', env: { PATH: process.env.PATH } });
  assert.equal(done.status, 78, done.stderr);
  assert.match(done.stderr, /PCW_HOME/);
  assert.ok(!existsSync('/tmp/.local/state/pcw'));
  const home = path.join(dir, 'home');
  spawnSync('bash', ['-c', 'umask 0; exec "$PCW" db status'], { env: { PATH: process.env.PATH, PCW, PCW_HOME: home } });
  if (existsSync(home)) assert.equal(statSync(home).mode & 0o066, 0);
  assert.equal((await run(['version'], {})).code, 0);
});
