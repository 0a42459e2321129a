// The service: schedules, takeovers, drains, tenants. The built binary against real PostgreSQL and the simulator.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, differences, brokenRuns, NO_QUOTA } from './harness.mjs';
import { Service, until } from './service.mjs';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

// A short lease, few workers, and only opportunities unless a test wants more.
const QUICK = { ...NO_QUOTA, PCW_SERVICE_LEASE: '2s', PCW_SERVICE_WORKERS: '2', PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities', PCW_SYNC_PART_RECORDS: '10' };
// One call after the other with a pause: a run that lasts some seconds.
const SLOW = { ...QUICK, PCW_CONNECTORS_PARTNER_CENTRAL_MAX_IN_FLIGHT: '1' };
const SLOW_SIM = ['--opportunities', '120', '--seed', '5', '--no-quota', '--latency', '40'];

async function withService(simArgs, env, body) {
  const sim = await Sim.start(simArgs);
  const here = await site(postgres, sim, env);
  const started = [];
  const start = async (args = [], more = {}) => {
    const service = await Service.start({ ...here.env, ...more }, args);
    started.push(service);
    return service;
  };
  try {
    await body({ sim, here, start, until: (query, wanted, deadline) => until(here, postgres, query, wanted, deadline) });
  } finally {
    for (const service of started) { service.signal('SIGCONT'); await service.kill(); }
    await sim.stop();
  }
}

const PARTS = 'SELECT count(*) FROM run_parts';
const SUCCEEDED = "SELECT count(*) FROM ingestion_runs WHERE status = 'succeeded' AND mode = 'full'";
const OPEN = "SELECT count(*) FROM ingestion_runs WHERE ended_at IS NULL";

test('a first start sweeps every entity at once, then follows the interval, and drains with 0', () => withService(
  ['--opportunities', '60', '--seed', '2', '--no-quota'],
  { ...QUICK, PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities,leads,solutions,profiles', PCW_CONNECTORS_PARTNER_CENTRAL_INCREMENTAL_EVERY: '1s', PCW_SYNC_LAG: '1s' },
  async ({ sim, here, start, until }) => {
    const service = await start();
    await until("SELECT count(DISTINCT entity) FROM ingestion_runs WHERE mode = 'full' AND status = 'succeeded' AND trigger = 'schedule'", (n) => n === '4');
    assert.deepEqual(await differences(here, sim), []);

    await sim.insert({ count: 3 });
    await until('SELECT count(*) FROM partnercentral_opportunities', (n) => n === '63');

    const { code, ms } = await service.stop();
    assert.equal(code, 0);
    assert.ok(ms < 10_000, `drained in ${ms} ms`);
    assert.equal(brokenRuns(here), '');
    assert.equal(here.sql("SELECT count(*) FROM jobs WHERE state = 'running'"), '0');
    const begun = service.lines.find((line) => line.msg === 'run begins');
    for (const key of ['ts', 'level', 'run_id', 'tenant', 'connector', 'entity', 'trigger']) assert.ok(begun[key], `${key} in ${JSON.stringify(begun)}`);
    const metric = service.lines.find((line) => line._aws);
    assert.equal(metric._aws.CloudWatchMetrics[0].Namespace, 'PCW/PartnerCentral');
    assert.equal(metric._aws.CloudWatchMetrics[0].Metrics[0].Name, 'ThrottledRequests');
    assert.equal(typeof metric.ThrottledRequests, 'number');
    assert.equal(service.stderr.replace(/^pcw: warning: the database login is a superuser.*\n/, ''), '', 'nothing beside the log');
  }));

test('an end that cannot be stored gives its job up and holds no worker; the next run ends what it left', () => withService(
  ['--opportunities', '10', '--leads', '3', '--seed', '2', '--no-quota'],
  { ...QUICK, PCW_SERVICE_WORKERS: '1', PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities,leads' },
  async ({ here, start, until }) => {
    // As a text that PostgreSQL refuses (22021): whatever is said of the end of a run of leads.
    here.sql(`CREATE FUNCTION refuse_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'invalid byte sequence' USING ERRCODE = '22021'; END $$;
      CREATE TRIGGER refuse_end BEFORE UPDATE ON ingestion_runs FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL AND NEW.entity = 'leads') EXECUTE FUNCTION refuse_end()`);
    const service = await start();

    await until("SELECT count(*) FROM jobs WHERE entity = 'leads' AND state = 'failed' AND error_code = 'internal'", (n) => Number(n) >= 1);
    await until(SUCCEEDED, (n) => Number(n) >= 1);
    const said = await service.line((line) => line.msg === 'the end of a run cannot be stored; its job is given up');
    assert.equal(said.level, 'ERROR');
    assert.equal(said.entity, 'leads');

    here.sql('DROP TRIGGER refuse_end ON ingestion_runs');
    const next = await here.pcw(['sync', 'run', 'partner-central', 'leads', '--mode', 'full']);
    assert.equal(next.code, 0, next.stderr);
    assert.match(here.sql("SELECT string_agg(status || ' ' || coalesce(error_code, ''), ',' ORDER BY id) FROM ingestion_runs WHERE entity = 'leads'"), /^failed abandoned,.*succeeded/);
    assert.equal((await service.stop()).code, 0);
    assert.equal(here.sql(OPEN), '0');
  }));

test('a killed worker is taken over within lease and 5 s, and its run named', () => withService(SLOW_SIM, SLOW, async ({ sim, here, start, until }) => {
  const first = await start();
  await until(PARTS, (n) => Number(n) >= 2);
  const run = here.sql("SELECT id FROM ingestion_runs WHERE status = 'running'");
  const second = await start(['--roles', 'ingest']);

  await first.kill();
  const died = Date.now();
  await second.line((line) => line.msg.startsWith('taking over'), 'the takeover');
  assert.ok(Date.now() - died < 7_000, `taken over after ${Date.now() - died} ms`);

  await until(SUCCEEDED, (n) => n === '1');
  assert.equal(here.sql(`SELECT status, error_code FROM ingestion_runs WHERE id = '${run}'`), 'failed|abandoned');
  assert.equal(here.sql("SELECT resumed_from FROM ingestion_runs WHERE status = 'succeeded' AND mode = 'full'"), run);
  assert.deepEqual(await differences(here, sim), []);
  assert.equal((await second.stop()).code, 0);
  const verified = await here.pcw(['bronze', 'verify']);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
}));

test('a worker that sleeps beyond its lease stores nothing more when it wakes', () => withService(SLOW_SIM, SLOW, async ({ sim, here, start, until }) => {
  const sleeper = await start();
  await until(PARTS, (n) => Number(n) >= 2);
  const run = here.sql("SELECT id FROM ingestion_runs WHERE status = 'running'");
  sleeper.signal('SIGSTOP');
  const other = await start(['--roles', 'ingest']);
  await until("SELECT count(*) FROM ingestion_runs WHERE status = 'running' AND resumed_from IS NOT NULL", (n) => n === '1');
  const parts = here.sql(`SELECT count(*) FROM run_parts WHERE run_id = '${run}'`);

  sleeper.signal('SIGCONT');
  await sleeper.line((line) => /taken over by another/.test(line.msg), 'that its work was taken over');
  await until(SUCCEEDED, (n) => n === '1');

  assert.equal(here.sql(`SELECT count(*) FROM run_parts WHERE run_id = '${run}'`), parts, 'not one part more');
  assert.equal(here.sql(`SELECT status FROM ingestion_runs WHERE id = '${run}'`), 'failed');
  assert.deepEqual(await differences(here, sim), []);
  for (const service of [sleeper, other]) assert.equal((await service.stop()).code, 0);
  assert.equal(brokenRuns(here), '');
}));

test('SIGTERM in mid-run drains within 10 s; the next start goes on', () => withService(SLOW_SIM, SLOW, async ({ sim, here, start, until }) => {
  const first = await start();
  await until(PARTS, (n) => Number(n) >= 2);
  const run = here.sql("SELECT id FROM ingestion_runs WHERE status = 'running'");

  const { code, ms } = await first.stop();

  assert.equal(code, 0);
  assert.ok(ms < 10_000, `drained in ${ms} ms`);
  assert.equal(here.sql(`SELECT status, stats_json->>'reason', stats_json->>'resumable' FROM ingestion_runs WHERE id = '${run}'`), 'failed|drained|true');
  assert.equal(here.sql("SELECT state FROM jobs WHERE ended_at IS NULL"), 'queued');
  const held = Number(here.sql('SELECT count(*) FROM partnercentral_opportunities'));
  assert.ok(held > 0 && held < 120);
  const second = await start();
  await until(SUCCEEDED, (n) => n === '1');
  const stats = JSON.parse(here.sql("SELECT stats_json FROM ingestion_runs WHERE status = 'succeeded' AND mode = 'full'"));
  assert.ok(stats.records_skipped >= held, 'what was stored was not fetched again');
  assert.deepEqual(await differences(here, sim), []);
  assert.equal((await second.stop()).code, 0);
}));

test('a queued run is cancelled at once, a running one by its worker', () => withService(SLOW_SIM, SLOW, async ({ here, start, until }) => {
  const service = await start();
  await until(PARTS, (n) => Number(n) >= 1);
  const run = here.sql("SELECT id FROM ingestion_runs WHERE status = 'running'");
  const told = await here.pcw(['runs', 'cancel', run]);
  assert.equal(told.code, 0, told.stderr);
  await until(`SELECT status FROM ingestion_runs WHERE id = '${run}'`, (status) => status === 'cancelled');
  await until('SELECT state FROM jobs ORDER BY created_at LIMIT 1', (state) => state === 'cancelled');
  const again = await here.pcw(['runs', 'cancel', run]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /cancelled already/);
  assert.equal((await service.stop()).code, 0);
}));

test('PostgreSQL stops at once under load: the service goes on by itself, with few words', async () => {
  const own = await Postgres.start();
  const sim = await Sim.start(SLOW_SIM);
  const here = await site(own, sim, SLOW);
  const service = await Service.start(here.env);
  try {
    await until(here, own, PARTS, (n) => Number(n) >= 2);
    for (let i = 0; i < 2; ++i) {
      await own.stopImmediately();
      await service.line((line) => line.level === 'ERROR' && /tried again/.test(line.msg), 'the outage');
      await own.launch();
      const parts = Number(own.sql(PARTS, here.database));
      await until(here, own, `SELECT (${PARTS}) > ${parts} OR (${SUCCEEDED}) > 0`, (is_on) => is_on === 't');
    }
    await until(here, own, SUCCEEDED, (n) => Number(n) >= 1);
    assert.deepEqual(await differences(here, sim), []);
    const loud = service.lines.filter((line) => line.level === 'ERROR' || line.level === 'WARN').length;
    assert.ok(loud < 60, `${loud} lines of warnings and errors`);
    assert.equal((await service.stop()).code, 0);
    assert.equal(brokenRuns(here).split('\n').filter((line) => !line.includes('|queued|') && line !== '').length, 0, brokenRuns(here));
  } finally {
    await service.kill();
    await sim.stop();
    await own.stop();
  }
});

test('a drain that hangs on a database that does not answer ends with 69 and says which role hung', async () => {
  const own = await Postgres.start();
  const sim = await Sim.start(SLOW_SIM);
  const here = await site(own, sim, SLOW);
  const service = await Service.start(here.env);
  // Stopped processes keep their connections open and say nothing, as a machine does that lost its disks.
  const freeze = (signal) => {
    const children = execFileSync('pgrep', ['-P', String(own.process.pid)], { encoding: 'utf8' }).split('\n').filter(Boolean).map(Number);
    for (const pid of [own.process.pid, ...children]) process.kill(pid, signal);
  };
  let is_frozen = false;
  try {
    await until(here, own, PARTS, (n) => Number(n) >= 2);
    freeze('SIGSTOP');
    is_frozen = true;
    const { code, ms } = await service.stop();
    assert.equal(code, 69);
    assert.ok(ms >= 8_900 && ms < 15_000, `ended in ${ms} ms`);
    const told = service.lines.find((line) => line.msg === 'draining failed');
    assert.equal(told.level, 'ERROR');
    assert.match(JSON.stringify(told), /the role (ingest|replay|scheduler|api) did not end within 9 s/);
    freeze('SIGCONT');
    is_frozen = false;
    // Nothing is lost by it: the next process takes over.
    const next = await Service.start(here.env);
    await until(here, own, SUCCEEDED, (n) => Number(n) >= 1);
    assert.deepEqual(await differences(here, sim), []);
    assert.equal((await next.stop()).code, 0);
  } finally {
    if (is_frozen) freeze('SIGCONT');
    await service.kill();
    await sim.stop();
    await own.stop();
  }
});

test('tenants: each with its own catalog, lake and runs; taken up while the service runs', () => withService(
  ['--opportunities', '40', '--seed', '9', '--no-quota'], QUICK, async ({ sim, here, start, until }) => {
    const service = await start();
    await until(SUCCEEDED, (n) => n === '1');
    const before = await here.pcw(['runs', 'list', '-o', 'json']);
    const file = path.join(here.dir, 'acme.yaml');
    const write = (lake) => writeFileSync(file, `lake: {url: "${lake}"}\naws: {account_id: "123456789012", role_arn: "arn:aws:iam::123456789012:role/acme"}\nquota: {reads_per_second: 0, writes_per_second: 0}\n`
      + 'connectors: {partner_central: {catalog: Sandbox, entities: [opportunities]}}\n');

    write(here.env.PCW_LAKE_URL + '/');
    const same = await here.pcw(['tenant', 'create', 'acme', '--config', file]);
    assert.equal(same.code, 78, same.stderr);
    assert.match(same.stderr, /lake.url/);
    write('');
    const made = await here.pcw(['tenant', 'create', 'acme', '--config', file]);
    assert.equal(made.code, 0, made.stderr);
    write(`file://${path.join(here.env.PCW_HOME, 'tenants/acme/lake')}`);
    const taken = await here.pcw(['tenant', 'create', 'other', '--config', file]);
    assert.equal(taken.code, 1, taken.stderr);
    assert.match(taken.stderr, /another tenant's bronze/);
    writeFileSync(file, 'database: {strict_roles: true}\n');
    assert.equal((await here.pcw(['tenant', 'create', 'other', '--config', file])).code, 78);

    await until(SUCCEEDED, (n) => n === '2');
    assert.deepEqual(await differences(here, sim, 'AWS'), []);
    assert.deepEqual(await differences(here, sim, 'Sandbox'), []);
    assert.equal(here.sql("SELECT count(DISTINCT tenant_id) FROM partnercentral_opportunities"), '2');
    assert.ok(existsSync(path.join(here.env.PCW_HOME, 'tenants/acme/lake/bronze')));

    // Tenant A's answers are the same bytes with and without tenant B; B sees only its own.
    const after = await here.pcw(['runs', 'list', '-o', 'json']);
    assert.equal(after.stdout, before.stdout);
    const theirs = JSON.parse((await here.pcw(['--tenant', 'acme', 'runs', 'list', '-o', 'json'])).stdout);
    assert.deepEqual(theirs.map((run) => run.catalog), ['Sandbox']);

    // Over REST a token is of one tenant, and sees it and its configuration alone.
    const { url } = await service.line((line) => line.msg === 'serving');
    for (const [flags, catalog] of [[[], 'AWS'], [['--tenant', 'acme'], 'Sandbox']]) {
      const { token } = JSON.parse((await here.pcw([...flags, 'token', 'create', 'reader', '--scope', 'runs:read', '-o', 'json'])).stdout);
      const ask = async (route) => {
        const answer = await fetch(url + route, { headers: { authorization: `Bearer ${token}` } });
        assert.equal(answer.status, 200, `${route} ${await answer.clone().text()}`);
        return answer.json();
      };
      assert.deepEqual([...new Set((await ask('/v1/runs')).items.map((run) => run.catalog))], [catalog]);
      assert.equal((await ask('/v1/connectors/partner-central/health')).catalog, catalog);
    }
    const foreign = await here.pcw(['--tenant', 'acme', 'runs', 'show', JSON.parse(before.stdout)[0].id]);
    const missing = await here.pcw(['--tenant', 'acme', 'runs', 'show', '00000000-0000-0000-0000-00000000abcd']);
    assert.equal(foreign.code, missing.code);
    assert.equal(foreign.stderr.replace(/[0-9a-f-]{36}/g, 'ID'), missing.stderr.replace(/[0-9a-f-]{36}/g, 'ID'), 'a foreign id is as unknown as one that never was');
    const operator = await here.pcw(['db', 'psql', '--tenant', 'acme', '-c', 'SELECT count(*) AS n, min(catalog) AS c FROM partnercentral_opportunities']);
    assert.match(operator.stdout, /Sandbox/, operator.stderr);
    const nobody = await here.pcw(['--tenant', 'nobody', 'runs', 'list']);
    assert.equal(nobody.code, 64);
    assert.match(nobody.stderr, /there is default, acme/);
    const list = JSON.parse((await here.pcw(['tenant', 'list', '-o', 'json'])).stdout);
    assert.deepEqual(list.map((tenant) => tenant.name), ['default', 'acme']);
    assert.equal((await service.stop()).code, 0);
  }));

test('three processes do each run once', () => withService(
  ['--opportunities', '50', '--seed', '4', '--no-quota'],
  { ...QUICK, PCW_CONNECTORS_PARTNER_CENTRAL_INCREMENTAL_EVERY: '1s', PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities,solutions,profiles', PCW_CONNECTORS_PARTNER_CENTRAL_LIST_EVERY: '1s' },
  async ({ sim, here, start, until }) => {
    const services = [await start(), await start(), await start(['--roles', 'ingest'])];
    await until("SELECT count(*) FROM ingestion_runs WHERE status = 'succeeded'", (n) => Number(n) >= 15);
    for (const service of services) assert.equal((await service.stop()).code, 0);
    assert.equal(here.sql("SELECT count(*) FROM ingestion_runs WHERE status NOT IN ('succeeded', 'queued', 'failed')"), '0');
    assert.equal(here.sql(`SELECT count(*) FROM ingestion_runs a JOIN ingestion_runs b ON a.entity = b.entity AND a.id < b.id AND a.ended_at IS NOT NULL
      AND b.status <> 'queued' AND b.started_at < a.ended_at AND a.started_at < coalesce(b.ended_at, 'infinity')`), '0', 'no two runs of one entity at once');
    assert.equal(here.sql(`SELECT count(*) FROM ingestion_runs WHERE mode = 'full' AND resumed_from IS NULL`), '3', 'one sweep an entity, whoever looked');
    assert.deepEqual(await differences(here, sim), []);
  }));

test('mistakes are told at the start: a role that is none, a schedule that never fires, a table without its policy', () => withService(
  ['--opportunities', '5', '--no-quota'], QUICK, async ({ here }) => {
    const role = await here.pcw(['serve', '--roles', 'ingest,painter']);
    assert.equal(role.code, 64);
    assert.match(role.stderr, /painter/);
    const never = await here.pcw(['serve'], { PCW_CONNECTORS_PARTNER_CENTRAL_SCHEDULE: '0 0 30 2 *' });
    assert.equal(never.code, 78);
    assert.match(never.stderr, /can fire/);
    here.sql('CREATE TABLE careless (tenant_id uuid NOT NULL, note text)');
    const careless = await here.pcw(['serve']);
    assert.equal(careless.code, 78);
    assert.match(careless.stderr, /careless lacks row level security/);
  }));

test('without a database of its own a service has the embedded one, and stops it at the end', async () => {
  const sim = await Sim.start(['--opportunities', '30', '--seed', '6', '--no-quota']);
  const here = await site(postgres, sim, QUICK);
  const { PCW_DATABASE_URL: _, ...env } = here.env;
  const service = await Service.start(env);
  try {
    await service.line((line) => line.msg === 'run ended' && line.status === 'succeeded', 'the first sweep');
    assert.equal((await service.stop()).code, 0);
    assert.ok(!existsSync(path.join(env.PCW_HOME, 'pg/data/postmaster.pid')) && existsSync(path.join(env.PCW_HOME, 'pg')), 'the server is stopped');
  } finally {
    await service.kill();
    await sim.stop();
  }
});
