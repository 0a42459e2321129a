// /metrics beside what the simulator saw: calls by operation and outcome, refusals for the rate, the quota of both windows.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Postgres, Sim, site } from './harness.mjs';
import { Service } from './api_service.mjs';

let postgres, sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '12', '--leads', '3', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

/** Prometheus text as a map of "name{labels}" to its number. */
const readMetrics = (text) => new Map(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
  const split = line.lastIndexOf(' ');
  return [line.slice(0, split), Number(line.slice(split + 1))];
}));

const calls = (operation, outcome) => `pcw_api_calls_total{connector="partner_central",operation="${operation}",outcome="${outcome}"}`;
const THROTTLED = 'pcw_throttled_requests_total{connector="partner_central"}';

test('calls are counted as the simulator saw them, refused ones too, and the counters outlast the ledger and the process', async () => {
  // At 30 a second the ledger of the quota is used, and a run takes half a second.
  const here = await site(postgres, sim, { PCW_QUOTA_READS_PER_SECOND: '30', PCW_QUOTA_READS_PER_DAY: '1000' });
  await sim.faults([{ kind: 'throttle', operation: 'GetOpportunity', at: [2, 5, 8] }]);
  assert.equal((await here.pcw(['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'])).code, 0);
  await sim.faults([]);
  const seen = (await sim.calls()).filter((call) => /Opportunit/.test(call.operation));  // STS has no part in the quota
  const count = (operation, is_throttled) => seen.filter((call) => call.operation === operation && (call.status === 400) === is_throttled).length;
  assert.equal(count('GetOpportunity', true), 3, 'the fault was injected');

  const service = await Service.start(here, { PCW_QUOTA_READS_PER_SECOND: '30', PCW_QUOTA_WRITES_PER_SECOND: '1' });
  let metrics;
  try {
    const text = (await service.get('/metrics', { token: '' })).text;
    metrics = readMetrics(text);
    for (const [family, type] of [['pcw_api_calls_total', 'counter'], ['pcw_throttled_requests_total', 'counter'], ['pcw_quota_used', 'gauge'], ['pcw_quota_limit', 'gauge']])
      assert.ok(text.includes(`# TYPE ${family} ${type}\n`), family);
    for (const operation of ['ListOpportunities', 'GetOpportunity']) {
      assert.equal(metrics.get(calls(operation, 'ok')), count(operation, false), operation);
      assert.equal(metrics.get(calls(operation, 'throttled')), count(operation, true), operation);
      assert.equal(metrics.get(calls(operation, 'failed')), 0);
      assert.equal(metrics.get(calls(operation, 'refused')), 0);
    }
    assert.equal(metrics.get(THROTTLED), 3);
    assert.equal(metrics.get('pcw_quota_limit{class="read",window="1s"}'), 30);
    assert.equal(metrics.get('pcw_quota_limit{class="read",window="24h"}'), 1000);
    assert.equal(metrics.get('pcw_quota_used{class="read",window="24h"}'), seen.length);
    assert.equal(metrics.get('pcw_quota_remaining{class="read",window="24h"}'), 1000 - seen.length);
    assert.equal(metrics.get('pcw_quota_used{class="write",window="24h"}'), 0);
  } finally {
    await service.stop();
  }

  // A day later the ledger has forgotten the minutes; the counters have not.
  here.sql("UPDATE aws_calls SET bucket = bucket - interval '30 hours'");
  assert.equal((await here.pcw(['sync', 'run', 'partner-central', 'leads', '--mode', 'full'])).code, 0);
  const later = await Service.start(here, { PCW_QUOTA_READS_PER_SECOND: '30' });
  try {
    const now = readMetrics((await later.get('/metrics', { token: '' })).text);
    for (const operation of ['ListOpportunities', 'GetOpportunity']) assert.equal(now.get(calls(operation, 'ok')), metrics.get(calls(operation, 'ok')));
    assert.equal(now.get(THROTTLED), 3);
    assert.equal(now.get(calls('GetEngagement', 'ok')), (await sim.calls()).filter((call) => call.operation === 'GetEngagement').length);
  } finally {
    await later.stop();
  }
});

test('the last second of the quota follows what is granted and given back', async () => {
  const here = await site(postgres, sim);
  const used = () => Number(here.sql("SET ROLE pcw_service; SELECT quota_last_second('9', 's', 'read', 100000)"));
  const lease = (want) => here.sql(`SET ROLE pcw_service; SELECT granted, slots_end FROM quota_lease('9', 's', 'read', ${want}, 100000, 1, 1000)`).split('|');
  assert.equal(used(), 0, 'never asked');
  lease(1);
  assert.equal(used(), 1, 'a slot counts from its moment on');
  // Slots to come are not used yet; given back they never are.
  const [granted, end] = lease(50);
  assert.equal(granted, '50');
  assert.ok(used() <= 10, `${used()} in a second at ten a second`);
  here.sql(`SET ROLE pcw_service; SELECT quota_return('9', 's', 'read', 50, now(), 100000, '${end}')`);
  assert.equal(here.sql("SELECT upper(granted) <= next_slot FROM quota_state WHERE aws_account_id = '9'"), 't', 'nothing is granted behind the schedule');
  assert.equal(here.sql("SELECT granted @> now() + interval '1 second' FROM quota_state WHERE aws_account_id = '9'"), 'f');
});
