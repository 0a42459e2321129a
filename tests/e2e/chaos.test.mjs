// Three processes of the service, several tenants on one account, and things that go wrong at random by seed: kill -9, SIGSTOP beyond the
// lease, SIGTERM, PostgreSQL gone at once, records that change. A minute here; `scripts/soak chaos` takes ten.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, run } from './harness.mjs';
import { Service, until } from './service.mjs';

const SECONDS = Number(process.env.PCW_CHAOS_SECONDS ?? 40);
const RECORDS = Number(process.env.PCW_CHAOS_RECORDS ?? 60);
const TENANTS = Number(process.env.PCW_CHAOS_TENANTS ?? 4);
// AWS's rate, at which the simulator refuses what is too fast. A higher one is for more records than ten a second can carry: then the
// simulator has no quota, and that pcw keeps to its own is seen in the busiest second.
const RATE = Number(process.env.PCW_CHAOS_READS_PER_SECOND ?? 10);
const PART = RECORDS > 2_000 ? 100 : 10;
const SEED = Number(process.env.PCW_CHAOS_SEED ?? Date.now() % 100_000);
const LEASE_MS = 3000;

// mulberry32: the same seed makes the same choices.
function draws(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pass = (ms) => new Promise((done) => setTimeout(done, ms));  // chaos takes its time; nothing is waited for
// The Sandbox of the simulator has 25 records.
const catalogOf = (tenant) => (tenant % 2 === 0 || RECORDS > 2_000 ? 'AWS' : 'Sandbox');

test(`chaos: ${SECONDS} s, 3 processes, ${TENANTS} tenants, ${RECORDS} records, seed ${SEED}`, { timeout: (SECONDS + 900) * 1000 }, async (t) => {
  const draw = draws(SEED);
  const postgres = await Postgres.start();
  const sim = await Sim.start(['--opportunities', String(RECORDS), '--seed', String(SEED), ...(RATE > 10 ? ['--no-quota'] : [])]);
  const here = await site(postgres, sim, {
    PCW_SERVICE_LEASE: `${LEASE_MS / 1000}s`, PCW_SERVICE_WORKERS: '2', PCW_SYNC_PART_RECORDS: String(PART),
    PCW_QUOTA_READS_PER_SECOND: String(RATE), PCW_QUOTA_READS_PER_DAY: String(RATE * 10_000),
    PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities', PCW_CONNECTORS_PARTNER_CENTRAL_INCREMENTAL_EVERY: '4s',
  });
  for (let tenant = 1; tenant < TENANTS; ++tenant) {
    const file = path.join(here.dir, `tenant${tenant}.yaml`);
    writeFileSync(file, `aws: {role_arn: "arn:aws:iam::123456789012:role/tenant-${tenant}"}\nconnectors: {partner_central: {catalog: ${catalogOf(tenant)}, entities: [opportunities], incremental_every: 4s}}\nsync: {part_records: ${PART}}\n`
      + `quota: {reads_per_second: ${RATE}, reads_per_day: ${RATE * 10_000}}\n`);
    const made = await run(['tenant', 'create', `tenant-${tenant}`, '--config', file], here.env);
    assert.equal(made.code, 0, made.stderr);
  }
  const services = await Promise.all([0, 1, 2].map(() => Service.start(here.env)));
  const happened = {};
  const note = (what) => { happened[what] = (happened[what] ?? 0) + 1; };

  // No version of a row may ever be older than one seen before.
  const seen = new Map();
  const look = () => {
    for (const line of here.sql('SELECT tenant_id, pc_opportunity_id, extract(epoch FROM source_modified_at) FROM partnercentral_opportunities').split('\n').filter(Boolean)) {
      const [tenant, id, modified] = line.split('|');
      const key = `${tenant}/${id}`;
      assert.ok(Number(modified) >= (seen.get(key) ?? 0), `${key} went back in time`);
      seen.set(key, Number(modified));
    }
  };

  try {
    const end = Date.now() + SECONDS * 1000;
    while (Date.now() < end) {
      await pass(500 + draw() * 2500);
      const which = Math.floor(draw() * services.length);
      const dice = draw();
      if (dice < 0.3) {
        await services[which].kill();
        services[which] = await Service.start(here.env);
        note('killed');
      } else if (dice < 0.5) {
        services[which].signal('SIGSTOP');
        await pass(LEASE_MS * (0.5 + draw() * 2));
        services[which].signal('SIGCONT');
        note('slept');
      } else if (dice < 0.65) {
        const { code, ms } = await services[which].stop();
        assert.equal(code, 0, 'a drain ends with 0');
        assert.ok(ms < 12_000, `drained in ${ms} ms`);
        services[which] = await Service.start(here.env);
        note('drained');
      } else if (dice < 0.75) {
        await postgres.stopImmediately();
        await pass(draw() * 1000);
        await postgres.launch();
        note('database lost');
      } else {
        await sim.modify({ catalog: catalogOf(Math.floor(draw() * TENANTS)), count: 1 + Math.floor(draw() * 3) });
        note('changed');
      }
      look();
    }

    // Quiet again: every tenant's table becomes what the source says.
    const quiet = here.sql('SELECT now()');
    const truth = {};
    for (const catalog of new Set([...Array(TENANTS).keys()].map(catalogOf)))
      truth[catalog] = (await sim.truth(catalog)).map((row) => `${row.id} ${row.sha256}`).sort().join('\n');
    const tenants = here.sql('SELECT id, name FROM tenants').split('\n').map((line) => line.split('|'));
    for (const [id, name] of tenants) {
      const catalog = name === 'default' ? 'AWS' : catalogOf(Number(name.split('-')[1]));
      await until(here, postgres, `SELECT string_agg(pc_opportunity_id || ' ' || encode(payload_sha256, 'hex'), E'\\n' ORDER BY pc_opportunity_id)
          FROM partnercentral_opportunities WHERE tenant_id = '${id}' AND missing_since IS NULL`,
        (held) => held.split('\n').sort().join('\n') === truth[catalog], 600_000);
    }
    look();
    // A run whose process was killed as the last thing is ended by whoever takes it over, once its lease is out.
    await until(here, postgres, `SELECT count(*) FROM ingestion_runs WHERE ended_at IS NULL AND status <> 'queued' AND started_at < '${quiet}'`, (open) => open === '0', 60_000);
    for (const service of services) assert.equal((await service.stop()).code, 0);

    const stats = await sim.stats();
    assert.equal(stats.refused, 0, `no call was refused: ${JSON.stringify(stats.outcomes)}`);
    assert.ok(stats.arrivals >= RECORDS, 'the simulator saw the calls');
    assert.ok(stats.max_arrivals_per_second <= RATE * 1.2, `${stats.max_arrivals_per_second} calls in one second`);
    assert.equal(here.sql(`SELECT r.id, r.status, r.mode, r.started_at, r.resumed_from, j.state, j.claim, j.attempts, j.holder, j.heartbeat_at, j.ended_at, j.error_code, now() FROM ingestion_runs r LEFT JOIN jobs j ON j.tenant_id = r.tenant_id AND j.run_id = r.id
      WHERE r.ended_at IS NULL AND r.status <> 'queued'`), '', 'every run ended in a true state');
    assert.equal(here.sql("SELECT count(*) FROM jobs WHERE state = 'running'"), '0');
    assert.equal(here.sql(`SELECT count(*) FROM ingestion_runs r WHERE status = 'queued'
        AND NOT EXISTS (SELECT FROM jobs j WHERE j.tenant_id = r.tenant_id AND j.run_id = r.id AND j.state = 'queued')`), '0', 'no run waits without a job');
    assert.equal(here.sql(`SELECT count(*) FROM ingestion_runs WHERE (stats_json->>'records_listed')::bigint <> (stats_json->>'records_skipped')::bigint
        + (stats_json->>'records_duplicate')::bigint + (stats_json->>'records_processed')::bigint + (stats_json->>'dead_lettered')::bigint`), '0', 'the counters add up');
    assert.equal(here.sql('SELECT count(*) FROM dead_letters'), '0');
    const verified = await run(['bronze', 'verify'], here.env);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    t.diagnostic(JSON.stringify({ seed: SEED, happened, rows: Number(here.sql('SELECT count(*) FROM partnercentral_opportunities')), runs: here.sql("SELECT string_agg(s, ', ') FROM (SELECT status || ' ' || count(*) AS s FROM ingestion_runs GROUP BY status ORDER BY 1) x"),
      calls: stats.arrivals, busiest_second: stats.max_arrivals_per_second }));
  } finally {
    for (const service of services) { service.signal('SIGCONT'); await service.kill(); }
    await sim.stop();
    await postgres.stop();
  }
});
