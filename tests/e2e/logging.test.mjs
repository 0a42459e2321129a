// The log that operators search: the words of the runbook, levels that change while a run goes on, payloads only when asked for and masked.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, NO_QUOTA, SECRET_KEY } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
let postgres;
let sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '40', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

test("the runbook's searches find throttles and refusals, with request id and run", async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  try {
    await sim.faults([{ kind: 'throttle', operation: 'ListOpportunities', at: [1] }, { kind: 'access_denied', operation: 'ListOpportunities', at: [2] }]);
    const refused = await here.pcw(SYNC);
    assert.equal(refused.code, 4, refused.stderr);
    for (const [words, normalized] of [['429 Too Many Requests', 429], ['403 Forbidden', 403]]) {
      const line = refused.stderr.split('\n').find((text) => text.includes(words));
      assert.match(line ?? '', new RegExp(`run_id=\\S+ .*entity=opportunities .*request_id=\\S+ .*status=400 .*normalized_status=${normalized}`), refused.stderr);
    }
  } finally {
    await sim.faults([]);
  }
  const wrong = await here.pcw(SYNC, { AWS_SECRET_ACCESS_KEY: 'wrong' });
  assert.match(wrong.stderr, /401 Unauthorized/);
});

test('payloads are announced, masked by the mapping, and show no secret', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  const config = path.join(here.dir, 'pcw.yaml');
  writeFileSync(config, 'logging:\n  level: DEBUG\n  include_payloads: true  # WARNING: may contain PII\n');
  const masked = await here.pcw(['--config', config, ...SYNC]);
  assert.equal(masked.code, 0, masked.stderr);
  assert.match(masked.stderr, /payloads are logged; they may contain personal data audit=payload_logging_opened until=\S+ pii=masked/);
  assert.match(masked.stderr, /ends by itself at/);
  const names = here.sql('SELECT DISTINCT customer_company_name FROM partnercentral_opportunities WHERE customer_company_name IS NOT NULL').split('\n');
  assert.ok(names.length > 5);
  for (const name of names) assert.ok(!masked.stderr.includes(`"CompanyName":"${name}"`), name);
  assert.doesNotMatch(masked.stderr, /[a-z0-9.]+@[a-z0-9.]+\.[a-z]+/);
  assert.ok(!masked.stderr.includes(SECRET_KEY));

  writeFileSync(config, 'logging:\n  level: DEBUG\n  include_payloads: true\n  unmasked: true\n');
  const other = await site(postgres, sim, NO_QUOTA);
  const shown = await other.pcw(['--config', config, ...SYNC]);
  assert.match(shown.stderr, /pii=shown/);
  assert.ok(names.some((name) => shown.stderr.includes(name)));
  assert.ok(!shown.stderr.includes(SECRET_KEY));
});

test('JSON lines: one object a line, with the fields of the contract', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_LOGGING_FORMAT: 'json', PCW_LOGGING_LEVEL: 'DEBUG' });
  const done = await here.pcw(SYNC);
  const lines = done.stderr.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const call = lines.find((line) => line.operation === 'GetOpportunity');
  for (const field of ['ts', 'level', 'msg', 'run_id', 'tenant', 'connector', 'entity', 'operation', 'request_id', 'status', 'attempt']) assert.ok(field in call, field);
});

test('a run without the switch shows no payload at any level', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, PCW_LOGGING_LEVEL: 'DEBUG' });
  const done = await here.pcw(SYNC);
  assert.match(done.stderr, /DEBUG call .*operation=GetOpportunity/);
  assert.doesNotMatch(done.stderr, /payload|CompanyName/);
});

test('a changed file changes level and payloads of a running sync; a broken one changes nothing', async () => {
  const here = await site(postgres, sim, { PCW_QUOTA_READS_PER_SECOND: '4' });
  const config = path.join(here.dir, 'pcw.yaml');
  writeFileSync(config, 'logging: {level: WARN}\n');
  const before_calls = (await sim.calls()).length;
  let heard = '';
  const sync = here.pcw(['--config', config, ...SYNC], {}, { onSpawn: (child) => child.stderr.on('data', (chunk) => (heard += chunk)) });
  const until = async (pattern) => {
    const give_up = Date.now() + 20_000;
    while (!pattern.test(heard)) {
      assert.ok(Date.now() < give_up, `${pattern} was not logged: ${heard.slice(-300)}`);
      await new Promise((done) => setImmediate(done));
    }
  };
  while ((await sim.calls()).length < before_calls + 3) await new Promise((done) => setImmediate(done));
  assert.doesNotMatch(heard, /DEBUG/);

  writeFileSync(config, 'logging: {level: DEBUG, include_payloads: true}\n');
  await until(/payload_logging_opened/);
  await until(/DEBUG payload/);
  writeFileSync(config, 'logging: {level: LOUD}\n');
  await until(/the changed configuration is not used/);
  writeFileSync(config, 'logging: {level: ERROR}\n');
  await until(/payload_logging_closed/);
  const before = heard.length;
  const done = await sync;
  assert.equal(done.code, 0, done.stderr);
  assert.doesNotMatch(heard.slice(before), /DEBUG/);
});
