// Mappings as data and drift: what AWS sends otherwise is found, named, acted on as the mapping says, and silent once accepted.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, lastStats, brokenRuns } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const GET = 'GetOpportunity';
let postgres;
before(async () => {
  postgres = await Postgres.start();
});
after(async () => {
  await postgres.stop();
});

/** A site with a simulator of its own. */
async function withSim(body, records = 60) {
  const sim = await Sim.start(['--opportunities', String(records), '--no-quota']);
  try {
    await body(await site(postgres, sim), sim);
  } finally {
    await sim.stop();
  }
}

async function json(here, args, codes = [0]) {
  const done = await here.pcw([...args, '-o', 'json']);
  assert.ok(codes.includes(done.code), `${args.join(' ')}: ${done.code} ${done.stderr}`);
  return JSON.parse(done.stdout);
}

async function syncs(here, code, more = []) {
  const done = await here.pcw([...SYNC, ...more]);
  assert.equal(done.code, code, done.stdout + done.stderr);
  assert.equal(brokenRuns(here), '');
}

async function codes(here) {
  const report = await json(here, ['doctor', 'schema'], [0, 1]);
  return report.findings.filter((finding) => finding.level !== 'INFO');
}

/** The mapping of opportunities, altered, in a directory that the configuration names. */
async function ownMapping(here, alter) {
  const directory = path.join(here.dir, 'mappings');
  mkdirSync(directory, { recursive: true });
  const shown = await here.pcw(['mapping', 'show', 'opportunities']);
  assert.equal(shown.code, 0, shown.stderr);
  const text = alter(shown.stdout);
  assert.notEqual(text, shown.stdout);
  const file = path.join(directory, 'opportunities.yaml');
  writeFileSync(file, text);
  here.file = file;
  here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS = directory;
}

test('a member and a value that no model knows are findings, and silent once accepted', () => withSim(async (here, sim) => {
  await sim.faults([{ kind: 'unknown_member', operation: GET, rate: 0.3, by: 'record' }, { kind: 'unknown_enum', operation: GET, rate: 0.2, by: 'record' }]);
  await syncs(here, 0);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '60');

  const findings = await json(here, ['drift', 'list']);
  assert.deepEqual(findings.map((finding) => [finding.kind, finding.pointer, finding.found]).sort(), [
    ['new_enum', '/LifeCycle/Stage', 'Nurturing (new)'],
    ['unknown_member', '/FutureMember', 'object'],
  ]);
  for (const finding of findings) assert.ok(finding.records > 0 && finding.records < 60 && finding.expected.includes('API 2022-07-26'), JSON.stringify(finding));
  const member = findings.find((finding) => finding.kind === 'unknown_member');
  const shown = await json(here, ['drift', 'show', String(member.id)]);
  assert.ok(shown.next_steps.includes(`pcw bronze reingest --entity opportunities --finding ${member.id}`));
  const part = await here.pcw(['bronze', 'cat', shown.bronze_key]);
  const line = JSON.parse(part.stdout.split('\n')[shown.bronze_line - 1]);
  assert.equal(line.meta.id, shown.sample_record);
  assert.ok('FutureMember' in line.payload);

  const [trouble, ...rest] = await codes(here);
  assert.deepEqual([trouble.code, trouble.owner.first_responder, rest.length], ['PCW1307', 'Data engineering', 0]);

  const accepted = await json(here, ['drift', 'accept', '--all', '--entity', 'opportunities', '--note', 'told by AWS']);
  assert.equal(accepted.accepted, 2);
  assert.deepEqual(await codes(here), []);
  await sim.modify({ count: 60 });
  await syncs(here, 0);
  assert.deepEqual(await json(here, ['drift', 'list']), []);
  const kept = await json(here, ['drift', 'list', '--status', 'accepted']);
  assert.deepEqual(kept.map((finding) => [finding.id, finding.records, finding.note]), findings.map((finding) => [finding.id, finding.records, 'told by AWS']));
}));

test('a number for a text is a dead letter and a change of type', () => withSim(async (here, sim) => {
  await sim.faults([{ kind: 'bad_record', variant: 'wrong_type', operation: GET, rate: 0.2, by: 'record' }]);
  await syncs(here, 3);
  const [finding, ...rest] = await json(here, ['drift', 'list']);
  assert.deepEqual([finding.kind, finding.pointer, finding.found, finding.expected, rest.length], ['type_change', '/LastModifiedDate', 'number', 'string', 0]);
  assert.equal(finding.records, lastStats(here).dead_lettered);
  assert.deepEqual((await codes(here)).map((trouble) => trouble.code), ['PCW1303', 'PCW1305']);
}));

test('a column that is suddenly NULL is a finding with the rate before and now', () => withSim(async (here, sim) => {
  await syncs(here, 0);
  await ownMapping(here, (text) => text.replace('/Customer/Account/CompanyName,', '/Customer/Account/CompanyNames,'));
  const checked = await json(here, ['mapping', 'check', here.file]);
  assert.match(checked[0].text, /customer_company_name: .*no member CompanyNames; did you mean CompanyName\? \(API 2022-07-26\)/);
  await sim.modify({ count: 40 });
  await syncs(here, 0);
  const [finding, ...rest] = await json(here, ['drift', 'list']);
  assert.deepEqual([finding.kind, finding.column, finding.found, rest.length], ['null_rate', 'customer_company_name', 'about 100 % NULL', 0]);
  assert.ok(Number(finding.baseline_rate) < 0.2 && Number(finding.observed_rate) === 1, JSON.stringify(finding));
  const trouble = (await codes(here)).find((candidate) => candidate.code === 'PCW1302');
  assert.ok(trouble.next_steps.includes('pcw bronze reingest --entity opportunities --null customer_company_name --dry-run'));

  assert.equal((await json(here, ['drift', 'accept', String(finding.id)])).accepted, 1);
  await sim.modify({ count: 40 });
  await syncs(here, 0);
  assert.deepEqual(await json(here, ['drift', 'list']), []);
}));

test('quarantine keeps the departing records out until the finding is accepted', () => withSim(async (here, sim) => {
  await ownMapping(here, (text) => `${text}drift: { fields: { /LifeCycle/Stage: quarantine } }\n`);
  await sim.faults([{ kind: 'unknown_enum', operation: GET, rate: 0.2, by: 'record' }]);
  await syncs(here, 3);
  const letters = await json(here, ['dlq', 'list']);
  assert.ok(letters.length > 0 && letters.every((letter) => letter.error_code === 'schema_mismatch' && letter.stage === 'map' && letter.error_context.reason === 'schema_quarantined'));
  const [finding] = await json(here, ['drift', 'list']);
  assert.equal(finding.records, letters.length);
  assert.equal(here.sql("SELECT count(*) FROM partnercentral_opportunities WHERE stage = 'Nurturing (new)'"), '0');

  await json(here, ['drift', 'accept', String(finding.id)]);
  await syncs(here, 0);
  assert.equal(here.sql("SELECT count(*) FROM partnercentral_opportunities WHERE stage = 'Nurturing (new)'"), String(letters.length));
  assert.deepEqual(await json(here, ['dlq', 'list']), []);
}));

test('freeze stops the run before the rows, and it goes on once the finding is accepted', () => withSim(async (here, sim) => {
  await ownMapping(here, (text) => `${text}drift: { default: freeze }\n`);
  await sim.faults([{ kind: 'unknown_member', operation: GET, at: [7] }]);
  await syncs(here, 1);
  const stats = lastStats(here);
  assert.deepEqual([stats.reason, stats.resumable, stats.records_processed], ['schema_frozen', true, 0]);
  assert.equal(here.sql('SELECT status FROM ingestion_runs'), 'failed');
  const [finding] = await json(here, ['drift', 'list']);
  assert.deepEqual([finding.pointer, finding.records], ['/FutureMember', 1]);
  const [trouble] = await codes(here);
  assert.equal(trouble.code, 'PCW1301');

  await json(here, ['drift', 'accept', String(finding.id)]);
  await sim.faults([{ kind: 'unknown_member', operation: GET, rate: 0.5, by: 'record' }]);
  await syncs(here, 0, ['--resume']);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '60');
  assert.deepEqual(await codes(here), []);
}));

test('a run in which too much does not fit stops', () => withSim(async (here, sim) => {
  await sim.faults([{ kind: 'bad_record', variant: 'wrong_type', operation: GET }]);
  await syncs(here, 1);
  assert.deepEqual([lastStats(here).reason, here.sql('SELECT status FROM ingestion_runs')], ['too_many_mismatches', 'failed']);
  assert.ok((await codes(here)).some((trouble) => trouble.code === 'PCW1301'));

  here.env.PCW_SYNC_STOP_AT_MISMATCH_PERCENT = '0';
  await syncs(here, 3);
  assert.equal(here.sql('SELECT status FROM ingestion_runs ORDER BY started_at DESC LIMIT 1'), 'partial');
}));

test('a new column is checked, tried on bronze, added by db migrate and filled', () => withSim(async (here, sim) => {
  await syncs(here, 0);
  await ownMapping(here, (text) => text.replace(/^version: \d+/m, 'version: 90').replace('columns:\n', 'columns:\n  industry_twice: { from: /Customer/Account/Industry, type: text, pii: business }\n'));
  const [remark, ...rest] = await json(here, ['mapping', 'check', here.file]);
  assert.match(remark.text, /ALTER TABLE partnercentral_opportunities ADD COLUMN "industry_twice" text/);
  assert.match(remark.place, /opportunities\.yaml:6:3$/);
  assert.equal(rest.length, 0);

  const tried = await json(here, ['mapping', 'test', here.file, '--samples', '20']);
  assert.deepEqual([tried.samples, tried.dead_letters], [20, []]);
  const column = tried.columns.find((candidate) => candidate.column === 'industry_twice');
  assert.equal(column.filled + column.null, 20);
  const configured = here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS;
  here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS = '';
  const changed = await json(here, ['mapping', 'diff', here.file, '--detailed-exitcode'], [2]);
  here.env.PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS = configured;
  assert.deepEqual((await json(here, ['mapping', 'diff', here.file])).columns, []);
  assert.deepEqual(changed.columns.map((candidate) => candidate.column), ['industry_twice']);
  assert.deepEqual([changed.columns[0].examples[0].before, changed.columns[0].examples[0].after, changed.columns[0].examples.length], ['(no column)', '***', 3]);

  const migrated = await here.pcw(['db', 'migrate']);
  assert.match(migrated.stdout, /1 columns of configured mappings added/, migrated.stderr);
  assert.deepEqual(await json(here, ['mapping', 'check', here.file]), []);
  await sim.modify({ count: 60 });
  await syncs(here, 0);
  assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities WHERE industry_twice IS DISTINCT FROM customer_industry'), '0');
}));

test('every mistake of a mapping is named, and a column is never retyped', () => withSim(async (here) => {
  await ownMapping(here, (text) => text.replace('type: date }', 'type: dat }').replace('from: /Arn', 'from: Arn'));
  const wrong = await json(here, ['mapping', 'check', here.file], [1]);
  assert.match(wrong.map((remark) => remark.text).join('\n'), /opportunities\.yaml:7:\d+ columns\.arn\.from: "Arn" is not a JSON pointer[^]*did you mean date\?/);
  const refused = await here.pcw(SYNC);
  assert.equal(refused.code, 78, refused.stderr);

  await ownMapping(here, () => 'entity: opportunities\nversion: 2\ncolumns:\n  pc_opportunity_id: { from: /Id, type: text, required: true }\n  source_version: { from: /LastModifiedDate, type: text, required: true }\n  source_modified_at: { from: /LastModifiedDate, type: timestamp, required: true }\n  stage: { from: /LifeCycle/TargetCloseDate, type: date }\n');
  const conflict = await json(here, ['mapping', 'check', here.file], [1]);
  assert.match(conflict[0].text, /stage: the mapping makes date, partnercentral_opportunities has text/);
  assert.equal((await here.pcw(['db', 'migrate'])).code, 78);
}, 1));
