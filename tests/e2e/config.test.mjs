// Configuration as people get it wrong: every mistake in one run, each with its place, what was expected and the nearest name; exit 78.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, scratch } from './harness.mjs';

const WRONG = `enviroment: prod
database:
  url: mysql://x
sync:
  lag: five minutes
  part_records: 7
  part_records: 8
connectors:
  partner-central:
    enabled: yes
    catalog: Sandbx
    entities: [opportunities, leeds]
aws:
  account_id: 012345678901
colour: blue
`;

function file(text, name = 'pcw.yaml') {
  const dir = scratch();
  const config = path.join(dir, name);
  writeFileSync(config, text);
  return { config, env: { PCW_HOME: path.join(dir, 'home') } };
}

async function complaints(text, env = {}) {
  const { config, env: home } = file(text);
  const result = await run(['config', 'check', '--config', config], { ...home, ...env });
  assert.equal(result.code, 78, result.stderr);
  return result.stderr.trim().replaceAll(`${config}:`, '').replaceAll(` --config ${config}`, '').split('\n');
}

test('every mistake is named in one run, in the order of the file, with place, expectation and nearest name', async () => {
  assert.deepEqual(await complaints(WRONG, { PCW_SYNC_PART_RECRODS: '3' }), [
    'pcw: the configuration has 10 problems:',
    '1:1 enviroment: unknown key, expected a known one; did you mean environment?',
    '3:8 database.url: "mysql://x", expected postgresql://user@host/database, or nothing for the embedded server',
    '5:8 sync.lag: "five minutes", expected a duration: a whole number with a unit (ms, s, m, h, d), for example 5m',
    '7:3 part_records: stands here twice; the first is in line 6',
    '10:14 connectors.partner_central.enabled: yes, expected true or false',
    '11:14 connectors.partner_central.catalog: "Sandbx", expected one of AWS, Sandbox; did you mean Sandbox?',
    '12:15 connectors.partner_central.entities: "leeds", expected one of opportunities, leads, solutions, profiles, aws_summaries; did you mean leads?',
    '14:15 aws.account_id: 012345678901 is an octal number to some readers; expected text: write "012345678901"',
    '15:1 colour: unknown key; `pcw config show` lists the known ones',
    'environment PCW_SYNC_PART_RECRODS no such setting; did you mean PCW_SYNC_PART_RECORDS?',
  ]);
});

test('what is not YAML names line and column', async () => {
  for (const [text, says] of [
    ['environment: [a\n', /^\d+:\d+ .*sequence/],
    ['sync:\n\tlag: 5m\n', /^2:1 .*tab/],
    ['a: &x 1\nb: *x\n', /^1:\d+ .*anchor/],
    ['a: !!python/object 1\n', /^1:\d+ .*tag/],
    ['---\nenvironment: a\n---\nenvironment: b\n', /second document/],
    ['a\0b', /NUL/],
  ]) assert.match((await complaints(text)).slice(1).join('\n'), new RegExp(says.source, 'm'), JSON.stringify(text));
});

test('every verb refuses a wrong configuration before it does anything', async () => {
  const { config, env } = file('sync: {lag: soon}\n');
  for (const verb of [['sync', 'run', 'partner-central', 'opportunities'], ['runs', 'list'], ['quota', 'show'], ['db', 'migrate'], ['bronze', 'ls'], ['dlq', 'list']]) {
    const result = await run([...verb, '--config', config], env);
    assert.equal(result.code, 78, `${verb}: ${result.stderr}`);
    assert.match(result.stderr, /pcw\.yaml:1:13 sync\.lag/);
  }
});

test('a file that was named and is not there is a mistake', async () => {
  const result = await run(['config', 'check', '--config', '/nonexistent/pcw.yaml'], { PCW_HOME: scratch() });
  assert.equal(result.code, 78);
  assert.match(result.stderr, /\/nonexistent\/pcw\.yaml/);
});

test('config show says where each value comes from and never shows a password', async () => {
  const { config, env } = file('sync:\n  lag: 6m\n');
  const result = await run(['config', 'show', '--origin', '--config', config], { ...env, PCW_DATABASE_URL: 'postgresql://me:hunter2@db/x', PCW_QUOTA_BURST: '2' });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^sync\.lag +6m +file .*pcw\.yaml:2$/m);
  assert.match(result.stdout, /^quota\.burst +2 +environment PCW_QUOTA_BURST$/m);
  assert.match(result.stdout, /^sync\.part_records +1000 +default$/m);
  assert.doesNotMatch(result.stdout, /hunter2/);
});

test('a password does not stand in the file, and its own file is not for everybody', async () => {
  assert.match((await complaints('database:\n  url: postgresql://me:hunter2@db/x\n')).join('\n'), /2:8 database\.url: .*env:NAME or file:PATH/);
  const { config: secret } = file('postgresql://me:hunter2@db/x', 'url');
  chmodSync(secret, 0o644);
  assert.match((await complaints(`database:\n  url: file:${secret}\n`)).join('\n'), /chmod 600/);
});

test('config check finds what serve would end with 78 for, all of it at once', async () => {
  const dir = scratch();
  writeFileSync(path.join(dir, 'file'), 'x');
  writeFileSync(path.join(dir, 'aws'), '[default]\nregion = eu-west-1\nbroken\n');
  const said = await complaints(`lake: {url: "file://${dir}/file/lake"}\nserver: {listen: "0.0.0.0:8080", tls_cert: "", tls_key: ""}\nconnectors: {partner_central: {mappings: "${dir}/absent"}}\n`
    + 'dlq: {url: "https://sqs.example.com/1/q"}\n', { AWS_ENDPOINT_URL: 'http://hunter2.example.com/secret', AWS_PROFILE: 'nobody', AWS_CA_BUNDLE: path.join(dir, 'absent.pem') });
  assert.equal(said[0], 'pcw: the configuration has 7 problems:');
  for (const says of [/^AWS_PROFILE: there is no profile nobody/m, /^AWS_ENDPOINT_URL is http:\/\/hunter2\.example\.com\/\*\*\*\*: plain http/m, /^AWS_CA_BUNDLE .*absent\.pem cannot be read/m,
    /^lake\.url: .*file\/lake cannot be written/m, /^dlq\.url: AWS_ENDPOINT_URL/m, /^server\.listen: 0\.0\.0\.0:8080 is not a loopback address/m, /absent/m])
    assert.match(said.join('\n'), says);

  assert.match((await complaints('environment: dev\n', { AWS_CONFIG_FILE: path.join(dir, 'aws') })).join('\n'), /aws:3: expected key = value/);
  const tls = await complaints(`server: {tls_cert: "${dir}/file", tls_key: "${dir}/file"}\n`);
  assert.match(tls.join('\n'), /tls/);
  assert.match((await complaints('aws: {role_arn: "arn:aws:iam::12:role/x"}\n')).join('\n'), /aws\.role_arn: .*12 digits/);
});

test('config check names what AWS\'s tools follow and pcw does not', async () => {
  const { config, env } = file('environment: dev\n');
  const result = await run(['config', 'check', '--config', config], { ...env, AWS_MAX_ATTEMPTS: '9', AWS_USE_FIPS_ENDPOINT: 'true' });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stderr, /AWS_MAX_ATTEMPTS is set, and pcw does not follow it: pcw retries by its own policy/);
  assert.doesNotMatch(result.stderr, /FIPS/);
});
