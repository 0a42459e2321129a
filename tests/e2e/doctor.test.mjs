// The fault table of `pcw doctor`: for each fault the right cause first, the right owner, nothing false beside it, within ten seconds.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import path from 'node:path';
import { Postgres, Sim, site, run, ACCESS_KEY, SECRET_KEY } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const ROLE = 'arn:aws:iam::123456789012:role/Partner';
const TEAMS = { auth: 'Platform team', api: 'Connector team', performance: 'SRE' };
let postgres;
let sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '5', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

async function doctor(here, env = {}, args = []) {
  const started = Date.now();
  const done = await here.pcw(['doctor', '-o', 'json', ...args], env);
  assert.ok(Date.now() - started < 10_000, `took ${Date.now() - started} ms`);
  assert.ok([0, 1].includes(done.code), done.stderr);
  const report = JSON.parse(done.stdout);
  return { ...report, code: done.code, trouble: report.findings.filter((finding) => finding.level !== 'INFO') };
}

/** One fault has one finding, of this code and owner, and the verdict names it. */
function isOnly(report, code, owner) {
  assert.deepEqual(report.trouble.map((finding) => finding.code), [code], JSON.stringify(report.trouble, null, 2));
  const [finding] = report.trouble;
  assert.equal(finding.owner.first_responder, owner);
  assert.ok(finding.next_steps.length > 0 && finding.cause.length > 0);
  assert.match(report.verdict.text, new RegExp(`${code} .*call: ${owner}`));
  assert.equal(report.code, finding.level === 'ERROR' ? 1 : 0);
  return finding;
}

async function withAccount(state, body) {
  await sim.post('/_sim/account', state);
  try {
    await body();
  } finally {
    await sim.post('/_sim/account', {});
  }
}

async function withFaults(rules, body) {
  await sim.faults(rules);
  try {
    await body();
  } finally {
    await sim.faults([]);
  }
}

/** A home with these files in ~/.aws and no keys in the environment. */
async function withProfiles(text) {
  const here = await site(postgres, sim);
  const home = path.join(here.dir, 'user');
  mkdirSync(path.join(home, '.aws'), { recursive: true });
  writeFileSync(path.join(home, '.aws/config'), text);
  here.env = { ...here.env, HOME: home, AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' };
  return { ...here, pcw: (args, more = {}) => run(args, { ...here.env, ...more }) };
}

test('a healthy system has no warning and no error, before and after a sync, in well under two seconds', async () => {
  const here = await site(postgres, sim);
  const fresh = await doctor(here);
  assert.deepEqual([fresh.trouble, fresh.verdict.text, fresh.code], [[], `healthy: nothing to do (calls go to ${sim.url}, by AWS_ENDPOINT_URL)`, 0]);

  assert.equal((await here.pcw(SYNC)).code, 0);
  const started = Date.now();
  const used = await doctor(here, {}, ['--fail-on', 'warn']);
  assert.ok(Date.now() - started < 2_000);
  assert.deepEqual([used.trouble, used.code], [[], 0]);
  const may = used.findings.find((finding) => finding.code === 'PCW1114');
  assert.match(may.message, /account 123456789012/);
  const untried = used.findings.find((finding) => finding.code === 'PCW1113');
  assert.equal(untried.evidence['partnercentral:CreateOpportunity'], 'not probed (would write)');
});

test('the doctor reads only: one call of each action that the configured entities need, nothing written', async () => {
  const here = await site(postgres, sim);
  await sim.resetCalls();
  await doctor(here);
  const operations = (await sim.calls()).map((call) => call.operation).sort();
  assert.deepEqual([...new Set(operations)], ['GetCallerIdentity', 'GetEngagement', 'GetEngagementInvitation', 'GetOpportunity', 'GetPartner', 'GetProfileVisibility',
    'ListEngagementInvitations', 'ListEngagements', 'ListOpportunities', 'ListPartners', 'ListSolutions']);
  assert.ok(operations.length <= 12, `${operations}`);  // ListPartners also tells which account is linked
  assert.equal(here.sql('SELECT count(*) FROM ingestion_runs'), '0');
});

test('1.1 no credentials', async () => {
  isOnly(await doctor(await withProfiles('')), 'PCW1101', TEAMS.auth);
});

test('1.1 half a pair of keys, and a profile that needs a person', async () => {
  const here = await site(postgres, sim);
  isOnly(await doctor(here, { AWS_SECRET_ACCESS_KEY: '' }), 'PCW1102', TEAMS.auth);
  const sso = await withProfiles('[profile corp]\nsso_session = corp\n');
  const finding = isOnly(await doctor(sso, { AWS_PROFILE: 'corp' }), 'PCW1102', TEAMS.auth);
  assert.match(finding.message, /credential_process = aws configure export-credentials/);
});

test('1.1 revoked key', async () => {
  const here = await site(postgres, sim);
  await withAccount({ revoked_keys: [ACCESS_KEY] }, async () => {
    const finding = isOnly(await doctor(here), 'PCW1105', TEAMS.auth);
    assert.equal(finding.resource, ACCESS_KEY);
  });
});

test('1.1 wrong secret', async () => {
  isOnly(await doctor(await site(postgres, sim), { AWS_SECRET_ACCESS_KEY: 'wrong' }), 'PCW1106', TEAMS.auth);
});

test('1.1 a region that Partner Central is not offered in is not asked', async () => {
  const report = await doctor(await site(postgres, sim), { AWS_REGION: 'eu-west-1' });
  assert.deepEqual(report.findings.filter((finding) => finding.level !== 'INFO').map((finding) => finding.code), []);
});

test('1.1 a rotated key file that is gone names the rotation and the way back', async () => {
  const here = await site(postgres, sim);
  const file = path.join(here.dir, 'key.json');
  writeFileSync(file, JSON.stringify({ Version: 1, AccessKeyId: ACCESS_KEY, SecretAccessKey: SECRET_KEY }), { mode: 0o600 });
  assert.equal((await here.pcw(['credentials', 'rotate', '--to', `file:${file}`])).code, 0);
  rmSync(file);
  const finding = isOnly(await doctor(here), 'PCW1102', TEAMS.auth);
  assert.equal(finding.next_steps[0], 'pcw credentials rotate --to configured');
  assert.equal((await here.pcw(['credentials', 'rotate', '--to', 'configured'])).code, 0);
  assert.deepEqual((await doctor(here)).trouble, []);
});

test('a home that cannot be used is not healthy', async () => {
  const here = await site(postgres, sim);
  const file = path.join(here.dir, 'file');
  writeFileSync(file, '');
  isOnly(await doctor(here, { PCW_HOME: path.join(file, 'home') }), 'PCW1003', TEAMS.performance);
});

test('1.1 expired session', async () => {
  const here = await site(postgres, sim);
  await withFaults([{ kind: 'expired_token' }], async () => isOnly(await doctor(here), 'PCW1104', TEAMS.auth));
});

test('1.1 wrong account: nothing is called with it', async () => {
  const here = await site(postgres, sim, { PCW_AWS_ACCOUNT_ID: '999988887777' });
  await sim.resetCalls();
  const finding = isOnly(await doctor(here), 'PCW1107', TEAMS.auth);
  assert.match(finding.message, /999988887777/);
  assert.ok((await sim.calls()).every((call) => call.operation === 'GetCallerIdentity'));
});

test('1.1 missing action, with the statement that is missing', async () => {
  const here = await site(postgres, sim);
  await withAccount({ denied_actions: ['partnercentral:GetOpportunity'] }, async () => {
    const finding = isOnly(await doctor(here), 'PCW1110', TEAMS.auth);
    assert.deepEqual(JSON.parse(finding.evidence.statement), {
      Effect: 'Allow', Action: ['partnercentral:GetOpportunity'], Resource: '*', Condition: { StringEquals: { 'partnercentral:Catalog': ['AWS'] } } });
  });
});

test('1.1 unlinked account', async () => {
  const here = await site(postgres, sim);
  await withAccount({ linked: false }, async () => {
    const finding = isOnly(await doctor(here), 'PCW1109', TEAMS.auth);
    assert.match(finding.next_steps[0], /Account linking/);
  });
});

test('1.1 a role whose trust policy does not let us in', async () => {
  const here = await site(postgres, sim, { PCW_AWS_ROLE_ARN: 'arn:aws:iam::999988887777:role/Other' });
  const finding = isOnly(await doctor(here), 'PCW1108', TEAMS.auth);
  assert.equal(finding.resource, 'arn:aws:iam::999988887777:role/Other');
  await withAccount({ denied_actions: ['sts:AssumeRole'] }, async () =>
    isOnly(await doctor(await site(postgres, sim, { PCW_AWS_ROLE_ARN: ROLE })), 'PCW1108', TEAMS.auth));
});

test('1.1 IMDS out of reach, and a container endpoint that hangs', async () => {
  const silent = createServer(() => {});
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = `http://127.0.0.1:${silent.address().port}`;
  try {
    const here = await withProfiles(`[profile r]\nrole_arn = ${ROLE}\ncredential_source = Ec2InstanceMetadata\n`);
    const imds = isOnly(await doctor(here, { AWS_PROFILE: 'r', AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: url }), 'PCW1103', TEAMS.auth);
    assert.match(imds.next_steps[0], /http-put-response-hop-limit 2/);
    isOnly(await doctor(here, { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/creds` }), 'PCW1103', TEAMS.auth);
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});

test('1.1 clock off by 10 minutes', async () => {
  const here = await site(postgres, sim);
  await withFaults([{ kind: 'skew', minutes: 10 }], async () => {
    const finding = isOnly(await doctor(here), 'PCW1112', TEAMS.performance);
      assert.match(finding.message, /10m 0\ds (behind|ahead of)|9m 59s/);
  });
});

test("1.2 the daily quota is exhausted, with who spent it and when it frees", async () => {
  const here = await site(postgres, sim, { PCW_QUOTA_READS_PER_DAY: '6', PCW_QUOTA_RESERVE_PERCENT: '50', PCW_CONNECTORS_PARTNER_CENTRAL_INCREMENTAL_EVERY: '2d' });
  assert.equal((await here.pcw(SYNC)).code, 5);
  const finding = isOnly(await doctor(here), 'PCW1201', TEAMS.api);
  assert.match(finding.evidence['spent most'], /sync opportunities full on .*: [123]$/);
  assert.match(finding.message, /free again at \d{4}-/);
});

test('1.2 while the account pauses, nothing is tried and nothing false is said of it', async () => {
  const here = await site(postgres, sim);
  assert.equal((await here.pcw(SYNC)).code, 0);
  here.sql(`UPDATE quota_state SET paused_until = now() + interval '1 minute'`);
  const report = await doctor(here);
  isOnly(report, 'PCW1204', TEAMS.api);
  assert.match(report.findings.find((finding) => finding.code === 'PCW1113').evidence['partnercentral:GetOpportunity'], /not tried: the account pauses until/);
});

test('1.2 a neighbour that spends most of the day', async () => {
  const here = await site(postgres, sim);
  assert.equal((await here.pcw(SYNC)).code, 0);
  here.sql(`INSERT INTO aws_calls VALUES ('123456789012', 'partnercentral-selling', 'read', 'GetOpportunity', 'sync opportunities full on other-host, pid 9', now(), 60000)`);
  here.sql(`INSERT INTO quota_usage VALUES ('123456789012', 'partnercentral-selling', 'read', date_trunc('minute', now()) - interval '1 minute', 60000)`);
  const finding = isOnly(await doctor(here), 'PCW1203', TEAMS.api);
  assert.match(finding.resource, /other-host/);
});

test('1.2 a throttle storm, and a few throttles', async () => {
  const here = await site(postgres, sim);
  await withFaults([{ kind: 'throttle', operation: 'ListOpportunities', at: [1] }], async () => assert.equal((await here.pcw(SYNC)).code, 0));
  here.sql(`INSERT INTO aws_calls VALUES ('123456789012', 'partnercentral-selling', 'read', 'GetOpportunity', 'sync', now(), 100)`);
  isOnly(await doctor(here), 'PCW1202', TEAMS.api);

  here.sql(`UPDATE aws_calls SET throttled = 95 WHERE calls = 100`);
  const finding = isOnly(await doctor(here), 'PCW1208', TEAMS.api);
  assert.ok(finding.next_steps.some((step) => /please raise the Partner Central Selling API read quota/.test(step)));
  assert.ok(finding.next_steps.some((step) => /quota.reads_per_second: 5/.test(step)));
});

test('1.2 batch too large: in the configuration, and for the way', async () => {
  const here = await site(postgres, sim);
  const finding = isOnly(await doctor(here, { PCW_CONNECTORS_PARTNER_CENTRAL_BATCH_SIZE: '500' }), 'PCW1001', TEAMS.api);
  assert.match(finding.message, /batch_size.*1 to 100/);

  here.sql(`INSERT INTO aws_calls (aws_account_id, service, class, operation, spender, bucket, calls, failed)
            VALUES ('123456789012', 'partnercentral-selling', 'read', 'ListOpportunities', 'sync', now(), 9, 8)`);
  here.sql(`INSERT INTO aws_calls (aws_account_id, service, class, operation, spender, bucket, calls)
            VALUES ('123456789012', 'partnercentral-selling', 'read', 'GetOpportunity', 'sync', now(), 40)`);
  const large = isOnly(await doctor(here), 'PCW1205', TEAMS.api);
  assert.deepEqual(large.next_steps, ['connectors.partner_central.batch_size: 50']);
});

test('1.4 an endpoint variable left over', async () => {
  const here = await site(postgres, sim);
  const finding = isOnly(await doctor(here, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }), 'PCW1409', TEAMS.performance);
  assert.equal(finding.next_steps[0], 'unset AWS_ENDPOINT_URL');
});

test('PostgreSQL down: the rest is judged all the same', async () => {
  const here = await site(postgres, sim);
  const report = await doctor(here, { PCW_DATABASE_URL: 'postgresql://127.0.0.1:1/pcw' });
  isOnly(report, 'PCW1002', TEAMS.performance);
  assert.ok(report.findings.some((finding) => finding.code === 'PCW1114'));
});

test('a broken configuration names every mistake', async () => {
  const here = await site(postgres, sim);
  const config = path.join(here.dir, 'pcw.yaml');
  writeFileSync(config, 'quota:\n  burst: 99\nloging: {}\n');
  const finding = isOnly(await doctor(here, { PCW_CONFIG: config }), 'PCW1001', TEAMS.api);
    assert.match(JSON.stringify(finding.evidence.mistake), /pcw.yaml:2:\d+ quota.burst.*pcw.yaml:3:\d+ loging/s);
});

test("owners come from escalation.yaml beside the configuration; the one we ship is the runbook's", async () => {
  const here = await site(postgres, sim);
  const config = path.join(here.dir, 'pcw.yaml');
  writeFileSync(config, 'environment: dev\n');
  writeFileSync(path.join(here.dir, 'escalation.yaml'), 'Auth/IAM: {first_responder: Night shift}\n');
  isOnly(await doctor(here, { PCW_CONFIG: config, AWS_SECRET_ACCESS_KEY: 'wrong' }), 'PCW1106', 'Night shift');
  const shipped = readFileSync(path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../config/escalation.yaml'), 'utf8');
  for (const team of ['Platform team', 'Security team', 'Connector team', 'AWS Support', 'Data engineering', 'Domain SME', 'SRE', 'Infrastructure']) assert.ok(shipped.includes(team));
});

test('sections by name and by number, what breaks them included; unknown ones are refused', async () => {
  const here = await site(postgres, sim);
  assert.equal((await here.pcw(['doctor', 'everything'])).code, 64);
  const wrong = { AWS_SECRET_ACCESS_KEY: 'wrong' };
  // Without an account there is no ledger to judge: what keeps it from being judged is said.
  assert.deepEqual((await doctor(here, wrong, ['--section', '1.2'])).trouble.map((finding) => finding.code), ['PCW1106']);
  assert.deepEqual((await doctor(here, wrong, ['auth'])).trouble.map((finding) => finding.code), ['PCW1106']);
  assert.deepEqual((await doctor(here, {}, ['rate-limits', '--section', '1.1'])).findings.map((finding) => finding.section).filter((name) => name === 'connectivity'), []);
  assert.deepEqual((await doctor(here, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, ['auth'])).trouble.map((finding) => finding.code), ['PCW1409']);
});

test('text for people: level, code, resource, cause, next step, owner, one verdict at the end', async () => {
  const here = await site(postgres, sim);
  const shown = await here.pcw(['doctor'], { AWS_SECRET_ACCESS_KEY: 'wrong' });
  assert.equal(shown.code, 1);
  assert.match(shown.stdout, new RegExp(`^ERROR \\[PCW1106\\] \\(${ACCESS_KEY}\\) .+\n  cause: .+\n(  .+\n)*  next: pcw credentials show\n(  .+\n)*  owner: Platform team; then Security team \\(Auth/IAM\\)\n`));
  assert.match(shown.stdout, /\nverdict: not healthy \(1 error, 0 warnings\); first: PCW1106 .*; call: Platform team\n$/);
  assert.ok(!shown.stdout.includes(SECRET_KEY));
  const explained = await here.pcw(['doctor', '--explain', 'PCW1106']);
  assert.match(explained.stdout, /the secret does not belong to the key/);
  assert.equal((await here.pcw(['doctor', '--explain', 'PCW9999'])).code, 64);
});
