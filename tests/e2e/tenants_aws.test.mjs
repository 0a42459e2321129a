// Tenants towards AWS: each call is signed by a session of its tenant's own role, which its own external id opened.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, differences } from './harness.mjs';
import { Service, until } from './service.mjs';

let postgres;
before(async () => { postgres = await Postgres.start(); });
after(async () => { await postgres.stop(); });

const role = (name) => `arn:aws:iam::123456789012:role/${name}`;

/** Makes a tenant of `yaml`; what the command said. */
async function createTenant(here, name, yaml) {
  const file = path.join(here.dir, `${name}.yaml`);
  writeFileSync(file, yaml);
  const made = await here.pcw(['tenant', 'create', name, '--config', file]);
  assert.equal(made.code, 0, made.stderr);
  return made;
}

test('two tenants with two roles: every call is its own role\'s, and one without the right external id makes none', { timeout: 120_000 }, async () => {
  // As strict as AWS: quotas on, roles known with their external ids, one region.
  const sim = await Sim.start(['--opportunities', '25', '--seed', '3']);
  await sim.post('/_sim/account', { roles: [{ arn: role('partner-a'), external_id: 'ext-a' }, { arn: role('partner-b'), external_id: 'ext-b' }] });
  // The platform's region is not the tenants': theirs is in their files.
  const here = await site(postgres, sim, { AWS_REGION: 'eu-west-1', PCW_CONNECTORS_PARTNER_CENTRAL_ENABLED: 'false', PCW_SERVICE_WORKERS: '3' });
  const tenant = (name, external, catalog) => `aws: {region: us-east-1, role_arn: "${role(name)}", external_id: ${external}}\nconnectors: {partner_central: {catalog: ${catalog}, entities: [opportunities]}}\n`;
  await createTenant(here, 'acme', tenant('partner-a', 'ext-a', 'AWS'));
  await createTenant(here, 'bolt', tenant('partner-b', 'ext-b', 'Sandbox'));
  await createTenant(here, 'crook', tenant('partner-a', 'ext-b', 'AWS'));
  const service = await Service.start(here.env);
  try {
    await until(here, postgres, "SELECT count(DISTINCT tenant_id) FROM ingestion_runs WHERE status = 'succeeded' AND mode = 'full'", (n) => n === '2');
    await until(here, postgres, "SELECT count(*) FROM ingestion_runs r JOIN tenants t ON t.id = r.tenant_id WHERE t.name = 'crook' AND r.status = 'failed'", (n) => n !== '0');
    assert.equal((await service.stop()).code, 0);

    const calls = (await sim.calls()).filter((call) => /Opportunit/.test(call.operation));
    assert.ok(calls.length >= 52, `${calls.length} calls`);
    for (const call of calls) assert.equal(call.caller, { AWS: 'partner-a', Sandbox: 'partner-b' }[call.catalog], JSON.stringify(call));
    for (const catalog of ['AWS', 'Sandbox']) {
      assert.deepEqual(await differences(here, sim, catalog), []);
      assert.equal(calls.filter((call) => call.catalog === catalog && call.operation === 'GetOpportunity').length, 25, 'each record is fetched once, by its own tenant');
    }
    const roles = (await sim.calls()).filter((call) => call.operation === 'AssumeRole');
    assert.ok(roles.every((call) => call.caller === 'pcw-example'), 'roles are assumed with the process\'s credentials');
    assert.ok(roles.some((call) => call.status === 403), 'the wrong external id was tried and refused');
    const stats = await sim.stats();
    assert.equal(stats.outcomes.refused_second + stats.outcomes.refused_day, 0, JSON.stringify(stats.outcomes));
    assert.ok(stats.max_arrivals_per_second <= 12, `${stats.max_arrivals_per_second}: one account, one quota`);
    assert.equal(here.sql("SELECT DISTINCT r.error_code FROM ingestion_runs r JOIN tenants t ON t.id = r.tenant_id WHERE t.name = 'crook' AND status = 'failed'"), 'permission_denied');
    assert.equal(here.sql("SELECT count(*) FROM partnercentral_opportunities o JOIN tenants t ON t.id = o.tenant_id WHERE t.name = 'crook'"), '0');
  } finally {
    await service.kill();
    await sim.stop();
  }
});

test('columns of a tenant\'s mappings are made with the tenant, and by db migrate', async () => {
  const sim = await Sim.start(['--opportunities', '3', '--no-quota']);
  const here = await site(postgres, sim);
  try {
    const directory = path.join(here.dir, 'mappings');
    mkdirSync(directory);
    const built_in = readFileSync(new URL('../../mappings/opportunities.yaml', import.meta.url), 'utf8');
    writeFileSync(path.join(directory, 'opportunities.yaml'),
      built_in.replace(/^version: (\d+)/m, (_, version) => `version: ${Number(version) + 1}`).replace(/^columns:\n/m, 'columns:\n  acme_title: { from: /Project/Title, type: text, pii: business }\n'));
    const has_column = () => here.sql("SELECT count(*) FROM information_schema.columns WHERE table_name = 'partnercentral_opportunities' AND column_name = 'acme_title'");
    assert.equal(has_column(), '0');
    await createTenant(here, 'acme', `aws: {role_arn: "${role('acme')}"}\nconnectors: {partner_central: {mappings: "${directory}", entities: [opportunities]}}\nquota: {reads_per_second: 0, writes_per_second: 0}\n`);
    assert.equal(has_column(), '1');
    here.sql('ALTER TABLE partnercentral_opportunities DROP COLUMN acme_title');
    const migrated = await here.pcw(['db', 'migrate']);
    assert.match(migrated.stdout, /1 columns of configured mappings added/, migrated.stderr);
    assert.equal(has_column(), '1');
    const synced = await here.pcw(['--tenant', 'acme', 'sync', 'run', 'partner-central', 'opportunities']);
    assert.equal(synced.code, 0, synced.stderr);
    assert.equal(here.sql('SELECT count(acme_title) FROM partnercentral_opportunities'), '3');

    // A tenant whose file went bad is told of, and the rest is migrated all the same.
    here.sql("UPDATE tenants SET config = 'colour: red' WHERE name = 'acme'");
    const warned = await here.pcw(['db', 'migrate']);
    assert.equal(warned.code, 0, warned.stderr);
    assert.match(warned.stderr, /tenant acme[\s\S]*colour/);
  } finally {
    await sim.stop();
  }
});

test('a tenant says whose credentials it uses, and its lake lies apart from every other, links followed', async () => {
  const sim = await Sim.start(['--opportunities', '3', '--no-quota']);
  const here = await site(postgres, sim);
  try {
    const file = path.join(here.dir, 'tenant.yaml');
    const create = async (name, yaml) => {
      writeFileSync(file, yaml);
      return here.pcw(['tenant', 'create', name, '--config', file]);
    };
    const silent = await create('acme', 'environment: dev\n');
    assert.equal(silent.code, 78, silent.stderr);
    assert.match(silent.stderr, /aws\.role_arn: a tenant without one would call AWS with the operator's credentials/);

    const own = `aws: {role_arn: "${role('acme')}"}\n`;
    const at = (directory) => `${own}lake: {url: "file://${directory}"}\n`;
    const lakes = path.join(here.dir, 'lakes');
    mkdirSync(path.join(lakes, 'acme'), { recursive: true });
    symlinkSync(path.join(lakes, 'acme'), path.join(lakes, 'alias'));
    const main = here.env.PCW_LAKE_URL.slice('file://'.length);
    mkdirSync(main, { recursive: true });
    symlinkSync(main, path.join(lakes, 'of-main'));
    for (const place of [main, path.join(main, 'bronze'), path.dirname(main), path.join(lakes, 'of-main'), path.join(lakes, 'of-main/below')]) {
      const refused = await create('acme', at(place));
      assert.equal(refused.code, 78, place + refused.stderr);
      assert.match(refused.stderr, /lake\.url: the main configuration's bronze lies there/);
    }
    assert.equal((await create('acme', at(path.join(lakes, 'acme')))).code, 0);
    for (const place of ['acme', 'alias', 'acme/below', 'alias/below', '.']) {
      const refused = await create('bolt', at(path.join(lakes, place)));
      assert.equal(refused.code, 1, place + refused.stderr);
      assert.match(refused.stderr, /bronze lies there/);
    }
    assert.equal((await create('bolt', at(path.join(lakes, 'bolt')))).code, 0);

    // A link that is laid later is found by who works for the tenant.
    rmSync(path.join(lakes, 'bolt'), { recursive: true, force: true });
    symlinkSync(path.join(lakes, 'acme'), path.join(lakes, 'bolt'));
    const late = await here.pcw(['--tenant', 'bolt', 'sync', 'run', 'partner-central', 'opportunities']);
    assert.equal(late.code, 78, late.stderr);
    assert.match(late.stderr, /tenant bolt: lake\.url: .* is, holds or lies in the lake of acme/);
  } finally {
    await sim.stop();
  }
});
