// Credentials from a stand-in of each real source, as they expire, fail and dawdle; and rotation while a sync runs.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdirSync, writeFileSync, readFileSync, existsSync, appendFileSync } from 'node:fs';
import path from 'node:path';
import { STSClient, AssumeRoleCommand } from '@aws-sdk/client-sts';
import { Postgres, Sim, site, canary, ACCESS_KEY, SECRET_KEY } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const ROLE = 'arn:aws:iam::123456789012:role/Partner';
let postgres;
let sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '30']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

/** Keys of a session that the simulator will take. */
async function session() {
  const sts = new STSClient({ endpoint: sim.url, region: 'us-east-1', credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY } });
  const { Credentials: keys } = await sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'stand-in' }));
  return { AccessKeyId: keys.AccessKeyId, SecretAccessKey: canary(keys.SecretAccessKey), Token: canary(keys.SessionToken) };
}

/** A stand-in that answers each request with `respond(request)`; what was asked is kept. */
async function standIn(respond) {
  const asked = [];
  const server = createServer(async (request, response) => {
    asked.push({ method: request.method, url: request.url, headers: request.headers });
    const { status = 200, body = '', hang = false } = await respond(request);
    if (hang) return;
    response.writeHead(status);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, asked, stop: () => (server.closeAllConnections(), server.close()) };
}

/** Instance metadata of the second version; the first is answered too, which nobody may use. */
function imds(document) {
  return standIn(async (request) => {
    if (request.method === 'PUT' && request.url === '/latest/api/token') return { body: 'imds-token' };
    if (request.headers['x-aws-ec2-metadata-token'] !== 'imds-token') return { status: 401 };
    if (request.url.endsWith('/security-credentials/')) return { body: 'partner-role' };
    return { body: await document() };
  });
}

// No keys in the environment: what the test gives is all there is.
const NO_KEYS = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' };

async function keyless(extra = {}) {
  const here = await site(postgres, sim, { ...NO_KEYS });
  here.home = path.join(here.dir, 'user');
  mkdirSync(path.join(here.home, '.aws'), { recursive: true });
  here.config = (text) => writeFileSync(path.join(here.home, '.aws/config'), text);
  here.pcw_ = (args, env = {}, options) => here.pcw(args, { HOME: here.home, ...extra, ...env }, options);
  here.show = async (env = {}) => {
    const shown = await here.pcw_(['credentials', 'show', '-o', 'json'], env);
    return { ...shown, json: shown.stdout ? JSON.parse(shown.stdout) : undefined };
  };
  return here;
}

const STATIC = `[profile base]\naws_access_key_id = ${ACCESS_KEY}\naws_secret_access_key = ${SECRET_KEY}\n`;
const inSeconds = (seconds) => new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+Z/, 'Z');

test('credentials show names source, key, account and expiry, and no secret', async () => {
  const here = await site(postgres, sim);
  const shown = await here.pcw(['credentials', 'show', '-o', 'json']);

  assert.equal(shown.code, 0, shown.stderr);
  assert.deepEqual(JSON.parse(shown.stdout), {
    source: 'environment', access_key_id: ACCESS_KEY, expires_at: null, account_id: '123456789012', arn: 'arn:aws:iam::123456789012:user/pcw-example', rotated_to: null });
  assert.ok(!shown.stdout.includes(SECRET_KEY) && !shown.stderr.includes(SECRET_KEY));
});

test('a profile becomes its role through STS, with external id and duration', async () => {
  const here = await keyless({ AWS_PROFILE: 'partner' });
  here.config(`${STATIC}[profile partner]\nrole_arn = ${ROLE}\nsource_profile = base\nexternal_id = e-1\nduration_seconds = 900\n`);
  const shown = await here.show();

  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.json.arn, /assumed-role\/Partner\/pcw-\d+/);
  assert.match(shown.json.source, /role .*Partner \(profile partner, with profile base\)/);
  const left = (Date.parse(shown.json.expires_at) - Date.now()) / 1000;
  assert.ok(left > 850 && left <= 900, `${left} s left`);
});

test('aws.role_arn goes on top of whatever keys there are', async () => {
  const here = await site(postgres, sim, { PCW_AWS_ROLE_ARN: ROLE });
  const shown = await here.pcw(['credentials', 'show', '-o', 'json']);

  assert.equal(shown.code, 0, shown.stderr);
  assert.match(JSON.parse(shown.stdout).arn, /assumed-role\/Partner/);
  const other = await here.pcw(['credentials', 'show'], { PCW_AWS_ROLE_ARN: 'arn:aws:iam::999988887777:role/Other' });
  assert.equal(other.code, 4);
  assert.match(other.stderr, /999988887777:role\/Other/);
});

// In the middle of a run AWS says that the session has expired, whatever the source had promised.
async function whileSessionsExpire(body) {
  await sim.faults([{ kind: 'expired_token', operation: 'GetOpportunity', at: [10] }]);
  try {
    await body();
  } finally {
    await sim.faults([]);
  }
}

test('IMDS and the container are asked again, once, when their session ends in mid-run', async () => {
  const document = async () => ({ Code: 'Success', ...(await session()), Expiration: inSeconds(3600) });
  const instance = await imds(document);
  const container = await standIn(async (request) => (request.headers.authorization === 'pod-token' ? { body: await document() } : { status: 403 }));
  try {
    const token = path.join((await keyless()).dir, 'token');
    writeFileSync(token, `${canary('pod-token')}\n`);
    const sources = [
      [{ AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: instance.url }, instance, (r) => r.url.endsWith('/partner-role')],
      [{ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/creds`, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token }, container, () => true],
    ];
    for (const [env, source, isAnswer] of sources) {
      const here = await keyless();
      await whileSessionsExpire(async () => {
        const done = await here.pcw_(SYNC, env);
        assert.equal(done.code, 0, done.stderr);
        assert.match(done.stderr, /401 Unauthorized .*ExpiredToken/);
      });
      assert.equal(source.asked.filter(isAnswer).length, 2);
    }
  } finally {
    instance.stop();
    container.stop();
  }
});

test('a credential_process is run again, once, when its session ends in mid-run, without a shell', async () => {
  const server = await standIn(async () => ({ body: { Version: 1, ...(({ Token, ...keys }) => ({ ...keys, SessionToken: Token }))(await session()), Expiration: inSeconds(3600) } }));
  try {
    const here = await keyless({ AWS_PROFILE: 'tool' });
    const tool = path.join(here.dir, 'tool.mjs');
    writeFileSync(tool, `const a = await fetch(process.argv[2]); process.stdout.write(await a.text());`);
    here.config(`[profile tool]\ncredential_process = ${process.execPath} "${tool}" '${server.url}/$HOME'\n`);

    await whileSessionsExpire(async () => {
      const done = await here.pcw_(SYNC);
      assert.equal(done.code, 0, done.stderr);
    });
    assert.equal(server.asked.length, 2);
    assert.equal(server.asked[0].url, '/$HOME', 'nothing is expanded');
  } finally {
    server.stop();
  }
});

test('a source that fails or says nothing ends in time, with its name', async () => {
  const broken = await standIn(() => ({ status: 500, body: 'no' }));
  const silent = await standIn(() => ({ hang: true }));
  try {
    const here = await keyless();
    const failed = await here.show({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${broken.url}/creds` });
    assert.equal(failed.code, 4, failed.stderr);
    assert.match(failed.stderr, /container endpoint .* answered 500/);
    assert.equal(broken.asked.length, 3);

    const started = Date.now();
    const slow = await here.show({ AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: silent.url });
    assert.equal(slow.code, 4, slow.stderr);
    assert.match(slow.stderr, /http-put-response-hop-limit 2/);
    assert.ok(Date.now() - started < 10_000);
  } finally {
    broken.stop();
    silent.stop();
  }
});

test('the first version of instance metadata is never spoken', async () => {
  const old = await standIn((request) => (request.method === 'PUT' ? { status: 404 } : { body: 'role' }));
  try {
    const here = await keyless();
    const shown = await here.show({ AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: old.url });
    assert.equal(shown.code, 4);
    assert.ok(old.asked.every((request) => request.method === 'PUT'));
  } finally {
    old.stop();
  }
});

test('keys that look expired already are used all the same, and not fetched for every call', async () => {
  const instance = await imds(async () => ({ Code: 'Success', ...(await session()), Expiration: inSeconds(-60) }));
  try {
    const here = await keyless();
    const done = await here.pcw_(SYNC, { AWS_EC2_METADATA_DISABLED: '', AWS_EC2_METADATA_SERVICE_ENDPOINT: instance.url });
    assert.equal(done.code, 0, done.stderr);
    assert.ok(instance.asked.filter((r) => r.url.endsWith('/partner-role')).length <= 2);
  } finally {
    instance.stop();
  }
});

test('the session token is nowhere, though AWS repeats it when it refuses a signature', async () => {
  const here = await site(postgres, sim, { PCW_LOGGING_LEVEL: 'DEBUG', PCW_LOGGING_INCLUDE_PAYLOADS: 'true', PCW_LOGGING_UNMASKED: 'true' });
  const keys = await session();
  const refused = await here.pcw(SYNC, { AWS_ACCESS_KEY_ID: keys.AccessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong', AWS_SESSION_TOKEN: keys.Token, PCW_AWS_ACCOUNT_ID: '123456789012' });
  assert.equal(refused.code, 4, refused.stderr);
  assert.match(refused.stderr, /401 Unauthorized/);
});

test('a web identity is sent unsigned; a token that STS refuses is said so', async () => {
  const here = await keyless();
  const token = path.join(here.dir, 'jwt');
  writeFileSync(token, canary('a-signed-identity'));
  const env = { AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_SESSION_NAME: 'pod-7' };
  const shown = await here.show(env);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.json.arn, /assumed-role\/Partner\/pod-7/);

  writeFileSync(token, 'expired');
  const refused = await here.show(env);
  assert.equal(refused.code, 4, refused.stderr);
  assert.match(refused.stderr, /ExpiredToken/);
});

test("the AWS CLI's own files, and what it exports, are read the same way", async () => {
  const here = await keyless({ AWS_PROFILE: 'written' });
  // Debian's: an older one that stands before it in PATH may not export.
  const cli = (...args) => execFileSync('/usr/bin/aws', args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', HOME: here.home } });
  cli('configure', 'set', 'aws_access_key_id', ACCESS_KEY, '--profile', 'written');
  cli('configure', 'set', 'aws_secret_access_key', SECRET_KEY, '--profile', 'written');
  cli('configure', 'set', 'region', 'us-east-1', '--profile', 'written');
  assert.equal((await here.show()).json.source, 'profile written');

  const exported = path.join(here.dir, 'exported.json');
  writeFileSync(exported, cli('configure', 'export-credentials', '--profile', 'written', '--format', 'process'), { mode: 0o600 });
  appendFileSync(path.join(here.home, '.aws/config'), `[profile exported]\ncredential_process = cat "${exported}"\n`);
  const shown = await here.show({ AWS_PROFILE: 'exported' });
  assert.equal(shown.code, 0, shown.stderr);
  assert.equal(shown.json.access_key_id, ACCESS_KEY);
});

test('SSO and login sessions are refused with the way around, exit 78', async () => {
  const here = await keyless({ AWS_PROFILE: 'corp' });
  here.config('[profile corp]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n[sso-session corp]\nsso_start_url = https://x\nsso_region = us-east-1\n');
  const shown = await here.show();
  assert.equal(shown.code, 78);
  assert.match(shown.stderr, /credential_process = aws configure export-credentials --profile corp --format process/);
});

test('a rotation in mid-run: the sync goes on with the new key after the old one is gone', async () => {
  const here = await site(postgres, sim);
  const NEW = { access_key_id: 'AKIAROTATED0EXAMPLE0', secret_access_key: canary('new-secret-of-the-rotation') };
  await sim.post('/_sim/account', { keys: [NEW] });
  try {
    const file = path.join(here.dir, 'key.json');
    writeFileSync(file, JSON.stringify({ AccessKey: { UserName: 'pcw', AccessKeyId: NEW.access_key_id, SecretAccessKey: NEW.secret_access_key } }), { mode: 0o600 });

    let running;
    const sync = here.pcw(SYNC, {}, { onSpawn: (child) => (running = child) });
    while ((await sim.calls()).length < 5 && running.exitCode === null) await new Promise((done) => setImmediate(done));
    const rotated = await here.pcw(['credentials', 'rotate', '--to', `file:${file}`]);
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.match(rotated.stdout, /partnercentral:GetOpportunity\s+ok/);
    assert.ok(!rotated.stdout.includes(NEW.secret_access_key) && !rotated.stderr.includes(NEW.secret_access_key));
    assert.match(rotated.stderr, new RegExp(`get-access-key-last-used --access-key-id ${ACCESS_KEY}`));
    // Within a second (ten calls) the running sync follows; then the old key is taken away.
    const calls = (await sim.calls()).length;
    while ((await sim.calls()).length < calls + 13 && running.exitCode === null) await new Promise((done) => setImmediate(done));
    assert.equal(running.exitCode, null, 'the sync ended before the key was taken away');
    await sim.post('/_sim/account', { keys: [NEW], revoked_keys: [ACCESS_KEY] });
    const done = await sync;
    assert.equal(done.code, 0, done.stderr);
    assert.doesNotMatch(done.stderr, /401 Unauthorized/);
    assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '30');
    assert.match(readFileSync(path.join(here.env.PCW_HOME, 'credentials.json'), 'utf8'), /"file:/);
  } finally {
    await sim.post('/_sim/account', {});
  }
});

test('a throttled account does not keep a key from being rotated', async () => {
  const here = await site(postgres, sim);
  const file = path.join(here.dir, 'key.json');
  writeFileSync(file, JSON.stringify({ Version: 1, AccessKeyId: ACCESS_KEY, SecretAccessKey: SECRET_KEY }), { mode: 0o600 });
  await sim.faults([{ kind: 'throttle', operation: 'ListOpportunities', retry_after_s: 60 }]);
  try {
    const rotated = await here.pcw(['credentials', 'rotate', '--to', `file:${file}`], {}, { deadline: 20_000 });
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.match(rotated.stdout, /throttled: the key is taken/);
  } finally {
    await sim.faults([]);
  }
});

test('credentials that cannot read what pcw reads, or are of another account, are not switched to', async () => {
  const here = await site(postgres, sim);
  const file = path.join(here.dir, 'key.json');
  const write = (id, secret) => writeFileSync(file, JSON.stringify({ Version: 1, AccessKeyId: id, SecretAccessKey: secret }), { mode: 0o600 });
  const rotate = () => here.pcw(['credentials', 'rotate', '--to', `file:${file}`]);
  const isUnchanged = () => assert.ok(!existsSync(path.join(here.env.PCW_HOME, 'credentials.json')));

  write(ACCESS_KEY, 'wrong');
  assert.equal((await rotate()).code, 4);
  isUnchanged();

  const OTHER = { access_key_id: 'AKIAOTHERACCOUNT0000', secret_access_key: canary('other-account-secret'), account_id: '999988887777' };
  try {
    await sim.post('/_sim/account', { keys: [OTHER] });
    write(OTHER.access_key_id, OTHER.secret_access_key);
    const refused = await rotate();
    assert.equal(refused.code, 4, refused.stderr);
    assert.match(refused.stderr, /999988887777/);
    isUnchanged();

    await sim.post('/_sim/account', { denied_actions: ['partnercentral:GetOpportunity'] });
    write(ACCESS_KEY, SECRET_KEY);
    const denied = await rotate();
    assert.equal(denied.code, 4, denied.stderr);
    assert.match(denied.stdout, /partnercentral:ListOpportunities\s+ok/);
    isUnchanged();
  } finally {
    await sim.post('/_sim/account', {});
  }
  for (const to of ['key.json', 'file:relative', 'profile:']) assert.equal((await here.pcw(['credentials', 'rotate', '--to', to])).code, 64);
});
