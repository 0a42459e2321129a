// PostgreSQL is away while the service runs and is asked: it says so, comes back by itself, and nothing that it promised is lost.
// PCW_OUTAGE_SECONDS: for how long (10; `scripts/soak postgres` has a minute).
import { test } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { Postgres, Sim, site, differences, NO_QUOTA } from './harness.mjs';
import { Service } from './api_service.mjs';
import { until } from './service.mjs';

const SECONDS = Number(process.env.PCW_OUTAGE_SECONDS ?? 10);

test(`${SECONDS} s without PostgreSQL under load: 503 with Retry-After, then on as before`, { timeout: (SECONDS + 240) * 1000 }, async (t) => {
  const postgres = await Postgres.start();
  const sim = await Sim.start(['--opportunities', '400', '--leads', '3', '--seed', '5', '--no-quota', '--latency', '40']);
  const here = await site(postgres, sim, {
    ...NO_QUOTA, PCW_SERVICE_LEASE: '3s', PCW_SERVICE_WORKERS: '2', PCW_SYNC_PART_RECORDS: '10',
    PCW_CONNECTORS_PARTNER_CENTRAL_MAX_IN_FLIGHT: '1', PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities,leads,solutions',
  });
  const service = await Service.start(here, {}, 'api,scheduler,ingest');
  const answers = { before: [], during: [], after: [] };
  let phase = 'before';
  let is_over = false;
  const agent = new http.Agent({ keepAlive: true });
  const promised = new Set();
  const load = Array.from({ length: 8 }, async (_, worker) => {
    while (!is_over) {
      const began = { phase, at: performance.now() };
      const answer = worker % 2 === 0 ? await service.get('/v1/runs?limit=5', { agent }) : await service.trigger({ entity: ['leads', 'solutions'][worker % 4 === 1 ? 0 : 1], mode: 'full' }, { agent });
      if (answer.status === 202) promised.add(answer.json.id);
      // A request that was under way when the phase changed may go either way.
      if (began.phase === phase) answers[phase].push({ status: answer.status, retry: answer.headers['retry-after'], text: answer.text, ms: performance.now() - began.at });
    }
  });
  try {
    await until(here, postgres, 'SELECT count(*) FROM run_parts', (n) => Number(n) >= 2);
    assert.equal((await service.get('/v1/runs')).status, 200);
    phase = 'between';
    answers.between = [];
    await postgres.stopImmediately();
    phase = 'during';
    const down = performance.now();
    do assert.equal((await service.get('/healthz', { agent })).status, 200, 'the process lives');
    while (performance.now() - down < SECONDS * 1000);
    // Looked at every 15 s while all is well.
    let ready;
    const give_up = performance.now() + 30_000;
    while ((ready = await service.get('/readyz', { agent })).status !== 503) assert.ok(performance.now() < give_up, 'still ready');
    assert.equal(ready.json.components.database, 'unusable');
    phase = 'between';
    await postgres.launch();
    const up = performance.now();
    // Each of the threads that speak SQL tries again within a second: recovered is when none refuses any more.
    let since = performance.now();
    while (performance.now() - since < 1_500) {
      if ((await service.get('/v1/runs', { agent })).status !== 200) since = performance.now();
      assert.ok(since - up < 30_000, 'the interface does not recover');
    }
    const recovered_ms = since - up;
    phase = 'after';
    while ((await service.get('/readyz', { agent })).status !== 200) assert.ok(performance.now() - up < 60_000, 'never ready again');
    await until(here, postgres, "SELECT count(*) FROM ingestion_runs WHERE entity = 'opportunities' AND status = 'succeeded' AND mode = 'full'", (n) => Number(n) >= 1, 180_000);
    is_over = true;
    await Promise.all(load);

    assert.ok(answers.before.length > 0 && answers.during.length > SECONDS, `${answers.during.length} answers`);
    for (const answer of answers.during) {
      assert.equal(answer.status, 503, answer.text);
      assert.ok(Number(answer.retry) > 0, 'with Retry-After');
      assert.equal(JSON.parse(answer.text).code, 'unavailable');
    }
    for (const answer of [...answers.before, ...answers.after]) assert.ok([200, 202].includes(answer.status), answer.text);
    const lost = [...promised].filter((id) => here.sql(`SELECT count(*) FROM ingestion_runs WHERE id = '${id}'`) !== '1');
    assert.deepEqual(lost, [], 'every run that was answered 202 is there');
    assert.deepEqual(await differences(here, sim), []);
    assert.equal(service.process.exitCode, null, 'without a restart');
    const loud = service.lines().filter((line) => ['ERROR', 'WARN'].includes(line.level) && line.msg !== 'request').length;
    assert.ok(loud < 60 + SECONDS, `${loud} lines of warnings and errors for ${answers.during.length} answers`);
    t.diagnostic(JSON.stringify({ seconds: SECONDS, answers_during: answers.during.length, slowest_503_ms: Math.max(...answers.during.map((answer) => answer.ms)), recovered_ms, runs_promised: promised.size, warnings: loud }));
    assert.equal(await service.stop(), 0);
    assert.equal(here.sql("SELECT count(*) FROM ingestion_runs WHERE status = 'running'"), '0');
    assert.equal((await here.pcw(['bronze', 'verify'])).code, 0);
  } finally {
    is_over = true;
    await Promise.allSettled(load);
    await service.stop();
    await sim.stop();
    await postgres.stop();
  }
});

test('a database that turns read only is not ready, and its sessions are not told of as a mistake of pcw', { timeout: 120_000 }, async () => {
  const postgres = await Postgres.start();
  const sim = await Sim.start(['--opportunities', '3', '--no-quota']);
  const here = await site(postgres, sim, NO_QUOTA);
  const service = await Service.start(here);
  const ready = async (status) => {
    const give_up = performance.now() + 40_000;
    let answer;
    while ((answer = await service.get('/readyz')).status !== status) assert.ok(performance.now() < give_up, answer.text);
    return answer.json;
  };
  try {
    await ready(200);
    // As after a failover: sessions that are opened from now on write nothing.
    postgres.sql(`ALTER DATABASE ${here.database} SET default_transaction_read_only = on`);
    assert.equal((await ready(503)).components.database, 'unusable');
    const refused = await here.pcw(['sync', 'run', 'partner-central', 'opportunities']);
    assert.equal(refused.code, 69, refused.stderr);
    assert.match(refused.stderr, /read-only/);
    postgres.sql(`ALTER DATABASE ${here.database} RESET default_transaction_read_only`);
    await ready(200);
    assert.equal((await here.pcw(['sync', 'run', 'partner-central', 'opportunities'])).code, 0);
    assert.equal(await service.stop(), 0);
  } finally {
    await service.stop();
    await sim.stop();
    await postgres.stop();
  }
});
