// Wrong set-ups and broken surroundings: the right exit code, and a message that says what to do.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, run, scratch, NO_QUOTA } from './harness.mjs';

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

const SYNC = ['sync', 'run', 'partner-central', 'opportunities'];
const cases = [
  { what: 'an unknown access key', env: { AWS_ACCESS_KEY_ID: 'AKIAUNKNOWNUNKNOWN12' }, code: 4, says: /credential|access key|token/i },
  { what: 'a wrong secret', env: { AWS_SECRET_ACCESS_KEY: 'not-the-secret' }, code: 4, says: /signature|secret/i },
  { what: 'half of the credentials', env: { AWS_SECRET_ACCESS_KEY: '' }, code: [4, 78], says: /AWS_SECRET_ACCESS_KEY/ },
  { what: 'no credentials', env: { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' }, code: 4, says: /credentials/ },
  { what: 'a closed port', env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, code: 69, says: /127\.0\.0\.1.*refused|refused.*127\.0\.0\.1/s },
  { what: 'a host that does not exist', env: { AWS_ENDPOINT_URL: 'https://no-such-host.invalid' }, code: 69, says: /no-such-host\.invalid/ },
  { what: 'plain http to another machine', env: { AWS_ENDPOINT_URL: 'http://10.0.0.1' }, code: 78, says: /https/ },
  { what: 'another account than configured', env: { PCW_AWS_ACCOUNT_ID: '999999999999' }, code: [4, 78], says: /999999999999/ },
  { what: 'a database that is not there', env: { PCW_DATABASE_URL: 'postgresql://postgres@/x?host=/nonexistent' }, code: 69, says: /database/i },
  { what: 'a lake on an unknown scheme', env: { PCW_LAKE_URL: 'ftp://x' }, code: 78, says: /lake\.url/ },
];

for (const { what, env, code, says } of cases) {
  test(`${what}: exit ${code} and a message that helps`, async () => {
    const here = await site(postgres, sim, NO_QUOTA);
    const result = await here.pcw(SYNC, env);
    assert.ok([code].flat().includes(result.code), `exit ${result.code}\n${result.stderr}`);
    assert.match(result.stderr, says);
    assert.doesNotMatch(result.stdout + result.stderr, /wJalrXUtnFEMI/, 'no secret');
  });
}

test('a database without the schema names the command that makes it', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  postgres.sql(`CREATE DATABASE empty_${process.pid}`);
  const result = await here.pcw(SYNC, { PCW_DATABASE_URL: postgres.url(`empty_${process.pid}`) });
  assert.equal(result.code, 78, result.stderr);
  assert.match(result.stderr, /pcw db migrate/);
});

test('a login without rights is told which grant it needs', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  postgres.sql(`CREATE ROLE nobody_${process.pid} LOGIN`);
  const result = await here.pcw(SYNC, { PCW_DATABASE_URL: postgres.url(here.database, `nobody_${process.pid}`) });
  assert.equal(result.code, 4, result.stderr);
  assert.match(result.stderr, /GRANT pcw_service TO/);
});

test('an unwritable lake ends the run cleanly and says where', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  const file = path.join(here.dir, 'plain-file');
  writeFileSync(file, '');
  const result = await here.pcw(SYNC, { PCW_LAKE_URL: `file://${file}/lake` });
  assert.ok([69, 78].includes(result.code), `${result.code} ${result.stderr}`);
  assert.match(result.stderr, /plain-file/);
});

test('a full lake is found before a call is spent, and a rerun with room completes it', async (t) => {
  const dir = scratch();
  const lake = path.join(dir, 'small');
  mkdirSync(lake);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', lake], { stdio: 'pipe' });
  } catch {
    t.skip('mounting a small file system needs root');
    return;
  }
  try {
    const here = await site(postgres, sim, NO_QUOTA);
    await sim.resetCalls();
    const result = await here.pcw(SYNC, { PCW_LAKE_URL: `file://${lake}`, PCW_SYNC_PART_RECORDS: '10' });
    assert.equal(result.code, 69, result.stderr);
    assert.match(result.stderr, /No space left|disk full/i);
    assert.deepEqual((await sim.calls()).filter((call) => /Opportunit/.test(call.operation)), [], 'nothing was asked of Partner Central');
    assert.deepEqual(readdirSync(lake, { recursive: true }).filter((name) => !['.lake-id', '.tmp'].includes(name)), [], 'the probe is gone');
    execFileSync('mount', ['-o', 'remount,size=16m', lake]);
    const again = await here.pcw(SYNC, { PCW_LAKE_URL: `file://${lake}` });
    assert.equal(again.code, 0, again.stderr);
    assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '40');
  } finally {
    execFileSync('umount', [lake]);
  }
});

test('an unwritable PCW_HOME says so', async (t) => {
  if (process.getuid() === 0) {
    t.skip('root can write everywhere');
    return;
  }
  const dir = scratch();
  chmodSync(dir, 0o500);
  const result = await run(['runs', 'list'], { PCW_HOME: path.join(dir, 'home') });
  assert.equal(result.code, 78, result.stderr);
  assert.match(result.stderr, /PCW_HOME|home/);
});

test('a wrong verb or option is a usage error with a suggestion', async () => {
  assert.equal((await run(['snyc'])).code, 64);
  assert.equal((await run(['sync', 'run', 'partner-central', 'oportunities'], { PCW_HOME: scratch() })).code, 64);
  assert.equal((await run(['sync', 'run', 'partner-central', 'opportunities', '--mode', 'ful'])).code, 64);
  assert.equal((await run([])).code, 64);
});

test('every verb has help with an example', async () => {
  for (const verb of [[], ['sync'], ['sync', 'run'], ['runs', 'list'], ['runs', 'show'], ['runs', 'watch'], ['bronze', 'ls'], ['bronze', 'cat'], ['bronze', 'verify'], ['bronze', 'reingest'], ['history'],
    ['quota', 'show'], ['dlq', 'list'], ['dlq', 'show'], ['config', 'check'], ['config', 'show'], ['db', 'migrate'], ['db', 'status'], ['db', 'psql'], ['completion', 'bash'], ['completion', 'zsh'], ['completion', 'fish'], ['man'], ['sim'], ['demo'], ['version']]) {
    const result = await run([...verb, '--help']);
    assert.equal(result.code, 0, verb.join(' '));
    assert.match(result.stdout, /pcw/, verb.join(' '));
    if (verb.length > 1) assert.match(result.stdout, /Example/i, verb.join(' '));
  }
});
