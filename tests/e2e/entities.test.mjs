// Leads, solutions, profiles and AWS's own view, end to end: what the simulator says is true against the tables and bronze.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Postgres, Sim, site, brokenRuns, NO_QUOTA } from './harness.mjs';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

const KEY = { leads: 'lead_id', solutions: 'solution_id', profiles: 'partner_id', aws_summaries: 'pc_opportunity_id' };
const SIM = ['--opportunities', '40', '--leads', '60', '--solutions', '130', '--profiles', '60', '--no-quota'];

async function withSim(args, body) {
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

async function sync(here, entity, mode, code = 0) {
  const done = expectCode(await here.pcw(['sync', 'run', 'partner-central', entity, '--mode', mode, '-o', 'json']), code);
  return JSON.parse(done.stdout).stats;
}

/** What is wrong with an entity's table: ids, states, content hashes. */
async function wrong(here, sim, entity) {
  const visibility = entity === 'profiles' ? "coalesce(visibility, '~') || '|' || coalesce(encode(companion_sha256, 'hex'), '~')" : "'-'";
  const state = entity === 'leads' ? 'state' : visibility;
  const rows = here.sql(`SELECT ${KEY[entity]}, encode(payload_sha256, 'hex'), ${state} FROM partnercentral_${entity} WHERE missing_since IS NULL`).split('\n').filter(Boolean);
  const held = new Map(rows.map((row) => { const [id, sha256, ...rest] = row.split('|'); return [id, `${sha256} ${rest.join('|')}`]; }));
  const truth = new Map((await sim.get(`/_sim/truth?catalog=AWS&entity=${entity}`)).map((row) => {
    const rest = entity === 'leads' ? row.state : entity === 'profiles' ? `${row.visibility}|${row.visibility_sha256}` : '-';
    return [row.id, `${row.sha256} ${rest}`];
  }));
  const problems = [];
  for (const [id, expected] of truth) if (held.get(id) !== expected) problems.push(`${id}: source ${expected}, table ${held.get(id)}`);
  for (const id of held.keys()) if (!truth.has(id)) problems.push(`${id}: in the table, not at the source`);
  return problems;
}

const callsOf = async (sim, operation) => (await sim.calls()).filter((call) => call.operation === operation).length;

test('every entity lands byte for byte and is found unchanged the second time', () => withSim(SIM, async (sim, here) => {
  for (const entity of Object.keys(KEY)) {
    const first = await sync(here, entity, 'full');
    assert.deepEqual(await wrong(here, sim, entity), [], entity);
    assert.ok(first.rows_inserted >= 40, `${entity}: ${JSON.stringify(first)}`);

    const second = await sync(here, entity, 'incremental');

    assert.equal(second.records_processed, 0, `${entity}: ${JSON.stringify(second)}`);
    assert.deepEqual(await wrong(here, sim, entity), [], entity);
  }
  assert.equal(brokenRuns(here), '');
  expectCode(await here.pcw(['bronze', 'verify']), 0);
}));

test('all means the configured entities; the optional one is asked for by name', () => withSim(SIM, async (sim, here) => {
  expectCode(await here.pcw(['sync', 'run', 'partner-central', 'all', '--mode', 'full']), 0);

  assert.equal(here.sql('SELECT string_agg(entity, \',\' ORDER BY started_at) FROM ingestion_runs'), 'opportunities,leads,solutions,profiles');
  assert.equal(await callsOf(sim, 'GetAwsOpportunitySummary'), 0);
}));

test('details of invitations are asked for only while they are pending', () => withSim(SIM, async (sim, here) => {
  await sync(here, 'leads', 'full');

  const pending = (await sim.get('/_sim/truth?catalog=AWS&entity=leads')).filter((lead) => lead.state === 'invited').length;
  assert.ok(pending > 0);
  assert.equal(await callsOf(sim, 'GetEngagementInvitation'), pending);
  for (const state of ['invited', 'accepted', 'rejected', 'expired'])
    assert.ok(Number(here.sql(`SELECT count(*) FROM partnercentral_leads WHERE state = '${state}'`)) > 0, state);
}));

test('accepting upgrades the same row; rejecting keeps what the invitation told', () => withSim(SIM, async (sim, here) => {
  await sync(here, 'leads', 'full');
  const before = Number(here.sql('SELECT count(*) FROM partnercentral_leads'));
  const invited = here.sql("SELECT invitation_id, lead_id FROM partnercentral_leads WHERE state = 'invited' AND lead_id LIKE 'eng-%' ORDER BY 1 LIMIT 2").split('\n').map((row) => row.split('|'));
  const [accepted, rejected] = invited;
  const company = here.sql(`SELECT customer_company_name FROM partnercentral_leads WHERE lead_id = '${rejected[1]}'`);
  assert.notEqual(company, '');
  await sim.post('/_sim/invitations', { catalog: 'AWS', ids: [accepted[0]], status: 'ACCEPTED' });
  await sim.post('/_sim/invitations', { catalog: 'AWS', ids: [rejected[0]], status: 'REJECTED' });

  await sync(here, 'leads', 'incremental');

  assert.deepEqual(await wrong(here, sim, 'leads'), []);
  assert.equal(Number(here.sql('SELECT count(*) FROM partnercentral_leads')), before);
  assert.equal(here.sql(`SELECT state, source_rank FROM partnercentral_leads WHERE lead_id = '${accepted[1]}'`), 'accepted|1');
  assert.equal(here.sql(`SELECT state, customer_company_name FROM partnercentral_leads WHERE lead_id = '${rejected[1]}'`), `rejected|${company}`);
  assert.equal((await sync(here, 'leads', 'incremental')).records_processed, 0, 'and that is all');
}));

test('changed and new solutions are found by the hash of what is listed; a vanished one after two full scans', () => withSim(SIM, async (sim, here) => {
  await sync(here, 'solutions', 'full');
  await sim.modify({ entity: 'solutions', count: 5 });
  await sim.insert({ entity: 'solutions', count: 3 });
  await sim.remove({ entity: 'solutions', count: 2 });

  const stats = await sync(here, 'solutions', 'full');

  assert.equal(stats.records_processed, stats.rows_inserted + stats.rows_updated);
  assert.ok(stats.rows_inserted === 3 && stats.rows_updated >= 3, JSON.stringify(stats));
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_solutions WHERE missing_since IS NOT NULL'), '0', 'once is not enough');
  await sync(here, 'solutions', 'full');
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_solutions WHERE missing_since IS NOT NULL'), '2');
  assert.deepEqual(await wrong(here, sim, 'solutions'), []);
}));

test('a profile that changed behind an unchanged list is found by a full run', () => withSim(SIM, async (sim, here) => {
  await sync(here, 'profiles', 'full');
  await sim.modify({ entity: 'profiles', count: 4 });

  const stats = await sync(here, 'profiles', 'full');

  assert.ok(stats.rows_updated >= 1, JSON.stringify(stats));
  assert.deepEqual(await wrong(here, sim, 'profiles'), []);
}));

test("AWS's own view changes behind an unchanged opportunity and is found by a full run", () => withSim(SIM, async (sim, here) => {
  await sync(here, 'aws_summaries', 'full');
  await sim.modify({ entity: 'aws_summaries', count: 6 });

  const stats = await sync(here, 'aws_summaries', 'full');

  assert.ok(stats.rows_updated >= 1, JSON.stringify(stats));
  assert.deepEqual(await wrong(here, sim, 'aws_summaries'), []);
}));

test('an unlinked account and a denied action end a run of each entity with exit 4', () => withSim(SIM, async (sim, here) => {
  await sim.post('/_sim/account', { denied_actions: ['partnercentral:GetProfileVisibility', 'partnercentral:ListSolutions', 'partnercentral:GetEngagement'] });
  for (const entity of ['leads', 'solutions', 'profiles'])
    expectCode(await here.pcw(['sync', 'run', 'partner-central', entity, '--mode', 'full']), 4);
}));
