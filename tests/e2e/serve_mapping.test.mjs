// Settings and mappings that change under a running service: taken up with a log line, never half, and never undone by a process that has the old ones.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, NO_QUOTA } from './harness.mjs';
import { Service, until } from './service.mjs';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

const RECORDS = 40;
const QUICK = { ...NO_QUOTA, PCW_SERVICE_LEASE: '2s', PCW_SERVICE_WORKERS: '2', PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities', PCW_SYNC_LAG: '1s' };
const SUCCEEDED = "SELECT count(*) FROM ingestion_runs WHERE status = 'succeeded'";
const VERSIONS = 'SELECT string_agg(DISTINCT mapping_version::text, \',\') FROM partnercentral_opportunities';

/** The built-in mapping with a higher version and a column of its own. */
async function ownMapping(here, version, column = 'own_title') {
  const shown = await here.pcw(['mapping', 'show', 'opportunities']);
  assert.equal(shown.code, 0, shown.stderr);
  return shown.stdout.replace(/^version: \d+/m, `version: ${version}`).replace(/^columns:\n/m, `columns:\n  ${column}: { from: /Project/Title, type: text }\n`);
}

async function withSite(env, body) {
  const sim = await Sim.start(['--opportunities', String(RECORDS), '--seed', '4', '--no-quota']);
  const here = await site(postgres, sim, { ...QUICK, ...env });
  const mappings = path.join(here.dir, 'mappings');
  mkdirSync(mappings);
  const started = [];
  const start = async (args, more = {}) => {
    const service = await Service.start({ ...here.env, ...more }, args);
    started.push(service);
    return service;
  };
  try {
    await body({ sim, here, start, mappings, until: (query, wanted) => until(here, postgres, query, wanted) });
  } finally {
    for (const service of started) await service.kill();
    await sim.stop();
  }
}

test('a changed file brings schedule and mapping into force without a restart, and a broken one changes nothing', () => withSite({}, async ({ sim, here, start, mappings, until }) => {
  const file = path.join(here.dir, 'pcw.yaml');
  const configure = (text) => writeFileSync(file, `connectors:\n  partner_central:\n${text}`);
  configure('    incremental_every: 1h\n');
  const env = { PCW_CONFIG: file };
  const service = await start(['--roles', 'scheduler,ingest'], env);
  await until(SUCCEEDED, (n) => n === '1');
  const before = Number(here.sql(VERSIONS));

  // As docs/mapping.md says: the file, the setting, the columns, the rows.
  writeFileSync(path.join(mappings, 'opportunities.yaml'), await ownMapping(here, before + 1));
  configure(`    incremental_every: 1s\n    mappings: ${mappings}\n`);
  assert.equal((await here.pcw(['db', 'migrate'], env)).code, 0);
  const reloaded = await service.line((line) => line.msg === 'configuration reloaded');
  assert.match(reloaded.keys, /incremental_every.*mappings|mappings.*incremental_every/);
  await sim.modify({ count: 5 });
  await until('SELECT count(*) FROM partnercentral_opportunities WHERE own_title IS NOT NULL', (n) => Number(n) > 0);
  assert.equal((await service.line((line) => line.msg === 'mapping reloaded')).mapping_version, String(before + 1));
  const again = async () => (await here.pcw(['bronze', 'reingest', '--entity', 'opportunities'], env)).code;
  while (await again() !== 0);  // a pass that is open holds the entity for a moment
  assert.equal(here.sql(VERSIONS), String(before + 1));

  writeFileSync(path.join(mappings, 'opportunities.yaml'), 'entity: opportunities\nversion: [\n');
  await service.line((line) => line.msg?.startsWith('the changed mapping is not used'));
  await sim.modify({ count: 5 });
  const passes = Number(here.sql(SUCCEEDED));
  await until(SUCCEEDED, (n) => Number(n) > passes + 1);
  assert.equal(here.sql(VERSIONS), String(before + 1));
  const doctor = await here.pcw(['doctor', 'schema', '-o', 'json'], env);
  assert.match(doctor.stdout, /PCW1311/);

  configure('    incremental_every: often\n');
  await service.line((line) => line.msg?.startsWith('the changed configuration is not used'));
  const later = Number(here.sql(SUCCEEDED));
  await until(SUCCEEDED, (n) => Number(n) > later);
}));

test('a service with an older mapping leaves the entity to one that has the newer', () => withSite({ PCW_CONNECTORS_PARTNER_CENTRAL_INCREMENTAL_EVERY: '1s' }, async ({ sim, here, start, mappings, until }) => {
  const service = await start(['--roles', 'scheduler,ingest']);
  await until(SUCCEEDED, (n) => Number(n) >= 1);
  const before = Number(here.sql(VERSIONS));
  writeFileSync(path.join(mappings, 'opportunities.yaml'), await ownMapping(here, before + 1));
  const newer = { PCW_CONNECTORS_PARTNER_CENTRAL_MAPPINGS: mappings };
  assert.equal((await here.pcw(['db', 'migrate'], newer)).code, 0);
  while ((await here.pcw(['bronze', 'reingest', '--entity', 'opportunities'], newer)).code !== 0);

  await sim.modify({ count: 7 });
  await service.line((line) => line.msg === 'left to a worker with the newer mapping');
  assert.equal(here.sql(VERSIONS), String(before + 1), 'no row went back');
  assert.match((await here.pcw(['doctor', 'schema', '-o', 'json'])).stdout, /PCW1310/);
  const refused = await here.pcw(['sync', 'run', 'partner-central', 'opportunities']);
  assert.equal(refused.code, 78, refused.stderr);
  assert.match(refused.stderr, /--older-mapping/);

  await start(['--roles', 'ingest'], newer);
  const then = Number(here.sql(SUCCEEDED));
  await until(SUCCEEDED, (n) => Number(n) > then);
  assert.equal(here.sql(VERSIONS), String(before + 1));
  await service.kill();

  while ((await here.pcw(['bronze', 'reingest', '--entity', 'opportunities', '--older-mapping'])).code !== 0);
  assert.equal(here.sql(VERSIONS), String(before));
}));
