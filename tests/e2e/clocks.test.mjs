// Clocks that stand wrong, dates that cannot be, and the order of what was fetched: none of them changes what is in the tables, and what
// cannot be put right is said (I5, I9, I13, I33).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Postgres, Sim, site, brokenRuns, NO_QUOTA } from './harness.mjs';
import { Service as ApiService } from './api_service.mjs';
import { Service, until } from './service.mjs';
import { daysAhead } from './wall_clock.mjs';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

const SIM = ['--opportunities', '30', '--leads', '24', '--solutions', '12', '--profiles', '6', '--no-quota'];
const run = (entity, mode = 'full') => ['sync', 'run', 'partner-central', entity, '--mode', mode, '-o', 'json'];

async function withSim(body, args = SIM) {
  const sim = await Sim.start(args);
  try {
    await body(sim, await site(postgres, sim, NO_QUOTA));
  } finally {
    await sim.stop();
  }
}

function expectCode(result, code) {
  assert.equal(result.code, code, `exit ${result.code} instead of ${code}\n${result.stdout}\n${result.stderr}`);
  return result;
}

async function sync(here, entity, mode = 'full', more = {}) {
  const done = expectCode(await here.pcw(run(entity, mode), more), 0);
  return JSON.parse(done.stdout).stats;
}

// What a table made from bronze must hold as the live one does.
function rows(here, entity) {
  return here.sql(`SELECT to_jsonb(t) - 'first_seen_at' - 'updated_at' - 'last_seen_run' - 'missed_full_scans' - 'missing_since' FROM partnercentral_${entity} t ORDER BY 1`);
}

async function expectRebuildEqual(here, entity) {
  const live = rows(here, entity);
  expectCode(await here.pcw(['bronze', 'reingest', '--entity', entity, '--rebuild']), 0);
  assert.equal(rows(here, entity), live, 'rebuilt as it was');
  here.sql(`DELETE FROM partnercentral_${entity}`);
  expectCode(await here.pcw(['bronze', 'reingest', '--entity', entity]), 0);
  assert.equal(rows(here, entity), live, 're-ingested as it was');
}

const invitations = (here) => here.sql("SELECT invitation_id, lead_id FROM partnercentral_leads WHERE state = 'invited' AND lead_id LIKE 'eng-%' ORDER BY 1")
  .split('\n').map((row) => row.split('|'));
const leadOf = (here, id) => here.sql(`SELECT state, coalesce(customer_company_name, '~') FROM partnercentral_leads WHERE lead_id = '${id}'`);

test('a run that waited in the queue while another one ran is the later one of the two', () => withSim(async (sim, here) => {
  const api = await ApiService.start(here);
  const queued = await api.trigger({ entity: 'leads', mode: 'full' });
  assert.equal(queued.status, 202, queued.text);
  await sync(here, 'leads');  // the invitation is pending: a full answer
  const [invitation, lead] = invitations(here)[0];
  const company = leadOf(here, lead).split('|')[1];
  assert.notEqual(company, '~');
  await sim.post('/_sim/invitations', { catalog: 'AWS', ids: [invitation], status: 'REJECTED' });  // from now on a sparse one

  const worker = await Service.start({ ...here.env, ...NO_QUOTA }, ['--roles', 'ingest']);
  await until(here, postgres, `SELECT status FROM ingestion_runs WHERE id = '${queued.json.id}'`, (text) => text === 'succeeded');
  await worker.stop();
  await api.stop();

  assert.ok(here.sql('SELECT (SELECT id FROM ingestion_runs WHERE trigger = \'api\') < (SELECT id FROM ingestion_runs WHERE trigger = \'cli\')') === 't', 'its folder comes first by name');
  assert.equal(leadOf(here, lead), `rejected|${company}`);
  await expectRebuildEqual(here, 'leads');
  assert.equal(leadOf(here, lead), `rejected|${company}`);
  assert.equal(brokenRuns(here), '');
}));

test('a clock that stood a day ahead orders nothing, with and without a Date of AWS, and a new column is filled', () => withSim(async (sim, here) => {
  await sim.faults([{ kind: 'skew', of: 'no_date', operation: 'GetEngagementInvitation' }]);
  await sync(here, 'leads', 'full', daysAhead(1));
  const [invitation, lead] = invitations(here)[0];
  const company = leadOf(here, lead).split('|')[1];
  await sim.post('/_sim/invitations', { catalog: 'AWS', ids: [invitation], status: 'REJECTED' });

  await sync(here, 'leads', 'full', daysAhead(-1));

  assert.equal(leadOf(here, lead), `rejected|${company}`);
  await expectRebuildEqual(here, 'leads');
  // As a column that is added later: nobody has told it yet.
  here.sql(`UPDATE partnercentral_leads SET customer_company_name = NULL, kept_from = kept_from - 'customer_company_name' WHERE kept_from IS NOT NULL`);
  expectCode(await here.pcw(['bronze', 'reingest', '--entity', 'leads']), 0);
  assert.equal(leadOf(here, lead), `rejected|${company}`);
}));

test('without a Date of AWS a wrong clock freezes no entity that is listed whole', () => withSim(async (sim, here) => {
  await sim.faults([{ kind: 'skew', of: 'no_date', operation: 'GetPartner' }, { kind: 'skew', of: 'no_date', operation: 'ListSolutions', at: [2, 3] }]);
  for (const entity of ['profiles', 'solutions']) await sync(here, entity, 'full', daysAhead(2));
  await sim.faults([]);
  await sim.modify({ entity: 'profiles', count: 6 });
  await sim.modify({ entity: 'solutions', count: 12 });

  for (const [entity, count] of [['profiles', 6], ['solutions', 12]]) {
    const stats = await sync(here, entity);
    assert.equal(stats.rows_updated, count, `${entity}: ${JSON.stringify(stats)}`);
    assert.equal(here.sql(`SELECT count(*) FROM partnercentral_${entity} WHERE source_modified_at > now() + interval '1 hour'`), '0', entity);
  }
}));

test('after a clock that jumped ahead and back, failures are failures and ages are ages', () => withSim(async (sim, here) => {
  await sync(here, 'opportunities', 'full', daysAhead(4380));
  assert.equal(here.sql("SELECT count(*) FROM ingestion_runs WHERE started_at > now() OR started_at < now() - interval '1 hour' OR ended_at < started_at"), '0');
  await sim.faults([{ kind: 'access_denied', operation: 'ListOpportunities' }]);
  for (let i = 0; i < 2; ++i) expectCode(await here.pcw(run('opportunities', 'incremental')), 4);

  const api = await ApiService.start(here);
  const health = async () => (await api.get('/v1/connectors/partner-central/health')).json.entities.find((one) => one.entity === 'opportunities');
  const first = await health();
  assert.equal(first.status, 'failing', JSON.stringify(first));
  assert.ok(first.data_age_seconds >= 0, JSON.stringify(first));

  // A database whose own clock stood ahead: what it wrote then says nothing now.
  here.sql("UPDATE ingestion_runs SET started_at = now() + interval '12 years', ended_at = now() + interval '12 years' WHERE status = 'succeeded'");
  const second = await health();
  assert.equal(second.status, 'failing', JSON.stringify(second));
  assert.equal(second.data_age_seconds, null);
  assert.notEqual(second.future_run, null);
  const metrics = (await api.get('/metrics')).text;
  assert.doesNotMatch(metrics, /pcw_data_age_seconds\{[^}]*\} -/);
  assert.match(metrics, /pcw_data_fresh\{entity="opportunities"\} 0/);
  await api.stop();
  const doctor = JSON.parse(expectCode(await here.pcw(['doctor', 'partner-central', '-o', 'json']), 1).stdout);
  const codes = doctor.findings.filter((finding) => finding.resource === 'opportunities').map((finding) => finding.code);
  assert.ok(codes.includes('PCW2111'), codes.join());  // why the newest run failed is another section's finding
}));

test('a date of the year 2099 does not end incremental scans, with or without a Date of AWS', () => withSim(async (sim, here) => {
  for (const header of [[], [{ kind: 'skew', of: 'no_date', operation: 'ListOpportunities', at: [1] }]]) {
    await sim.faults([{ kind: 'bad_record', variant: 'future_date', operation: 'ListOpportunities', limit: 1 }, ...header]);
    await here.pcw(run('opportunities'));
    await sim.faults([]);
    assert.equal(here.sql("SELECT watermark < now() FROM cursors WHERE entity = 'opportunities'"), 't');
    await sim.modify({ count: 3 });
    const stats = await sync(here, 'opportunities', 'incremental');
    assert.ok(stats.rows_updated >= 3, JSON.stringify(stats));
    here.sql('DELETE FROM cursors');
  }
}));

test('a date that was 2099 once stands in the way, is said, and has a way out that a rebuild keeps', () => withSim(async (sim, here) => {
  const id = (await sim.truth())[0].id;
  const held = () => here.sql(`SELECT source_modified_at > now(), encode(payload_sha256, 'hex') FROM partnercentral_opportunities WHERE pc_opportunity_id = '${id}'`);
  const truth = async () => (await sim.truth()).find((row) => row.id === id).sha256;
  await sim.faults([{ kind: 'bad_record', variant: 'future_date', operation: 'GetOpportunity', identifier: id, limit: 1 }]);
  await sync(here, 'opportunities');
  await sim.modify({ ids: [id] });
  await sync(here, 'opportunities');
  assert.match(held(), /^t\|/, 'the wrong date keeps the record out');
  const doctor = JSON.parse(expectCode(await here.pcw(['doctor', 'partner-central', '-o', 'json']), 1).stdout);
  const finding = doctor.findings.find((one) => one.code === 'PCW2112');
  assert.ok(finding && JSON.stringify(finding).includes(id), JSON.stringify(doctor.findings));

  const refetch = ['sync', 'refetch', 'partner-central', 'opportunities'];
  expectCode(await here.pcw([...refetch, id]), 0);
  assert.match(held(), /^t\|/, 'not without being told');
  expectCode(await here.pcw([...refetch, id, '--accept-older']), 0);

  assert.equal(held(), `f|${await truth()}`);
  assert.doesNotMatch((await here.pcw(['doctor', 'partner-central'])).stdout, /PCW2112/);
  await expectRebuildEqual(here, 'opportunities');
  expectCode(await here.pcw(['bronze', 'reingest', '--entity', 'opportunities']), 0);
  assert.equal(held(), `f|${await truth()}`, 'older bronze does not bring the wrong date back');
  await sim.modify({ ids: [id] });
  assert.equal((await sync(here, 'opportunities', 'incremental')).rows_updated, 1, 'and later versions land as ever');
  expectCode(await here.pcw([...refetch, 'O1']), 1);
}));

test('records that are only listed are fetched again out of the list', () => withSim(async (sim, here) => {
  await sync(here, 'solutions');
  const id = here.sql('SELECT min(solution_id) FROM partnercentral_solutions');
  here.sql(`UPDATE partnercentral_solutions SET source_modified_at = source_modified_at + interval '2 days' WHERE solution_id = '${id}'`);
  await sim.modify({ entity: 'solutions', count: 12 });
  assert.equal((await sync(here, 'solutions')).rows_updated, 11);

  const done = expectCode(await here.pcw(['sync', 'refetch', 'partner-central', 'solutions', id, '--accept-older', '-o', 'json']), 0);

  assert.equal(JSON.parse(done.stdout).stats.rows_updated, 1);
  assert.equal((await sync(here, 'solutions')).records_processed, 0);
}));

test('details in milliseconds and a list in seconds: what is held is not fetched again', () => withSim(async (sim, here) => {
  await sim.faults([{ kind: 'bad_record', variant: 'whole_seconds', operation: 'ListOpportunities' }]);
  await sync(here, 'opportunities');
  assert.equal((await sync(here, 'opportunities')).records_processed, 0);
  await sim.modify({ count: 4 });
  assert.equal((await sync(here, 'opportunities', 'incremental')).rows_updated, 4);
  await expectRebuildEqual(here, 'opportunities');
}));

test('what a scan waited for is not part of its length', () => withSim(async (sim, here) => {
  const slow = { PCW_CONNECTORS_PARTNER_CENTRAL_MIN_INTERVAL: '50ms' };  // 30 details: at least a second and a half
  const stats = await sync(here, 'opportunities', 'full', slow);
  assert.ok(stats.elapsed_ms > 1000, JSON.stringify(stats));
  assert.ok(Number(here.sql("SELECT longest_scan_ms FROM cursors WHERE entity = 'opportunities'")) < 1000);
}));
