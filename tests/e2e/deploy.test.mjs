// What deploy/ and scripts/package offer: the policy is the one the binary prints and enough for a sync, the package is what it says it is.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, mkdirSync, writeFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { NO_QUOTA, PCW, Postgres, Sim, run, scratch, site } from './harness.mjs';

const root = path.resolve(path.dirname(new URL(import.meta.url).pathname), '../..');
const deploy = (name) => path.join(root, 'deploy', name);
const text = (name) => readFileSync(deploy(name), 'utf8');

function program(name, args, options = {}) {
  return spawnSync(name, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
}
const lacks = (name) => (program(name, ['--version']).error ? `${name} is not installed` : false);

let postgres;
let sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '20', '--no-quota']);
});
after(async () => {
  await sim?.stop();
  await postgres?.stop();
});

const CONFIGURED = ['--set', 'lake.url=s3://pcw-lake-prod', '--set', 'dlq.url=https://sqs.us-east-1.amazonaws.com/123456789012/pcw-dlq', '--set', 'aws.region=us-east-1'];

test('the policy in deploy/ is the one the binary prints', async () => {
  const printed = await run(['credentials', 'policy', ...CONFIGURED]);

  assert.equal(printed.code, 0, printed.stderr);
  assert.equal(printed.stdout, text('iam-policy.json'));
});

test('the policy names exactly the Partner Central operations that a full sync of every entity calls', async () => {
  const policy = JSON.parse(text('iam-policy.json'));
  const allowed = policy.Statement.find((statement) => statement.Sid === 'ReadPartnerCentral').Action.map((action) => action.split(':')[1]);
  const here = await site(postgres, sim, NO_QUOTA);

  const synced = await here.pcw(['sync', 'run', 'partner-central', 'all', '--mode', 'full']);

  assert.equal(synced.code, 0, synced.stderr);
  const called = new Set((await sim.calls()).map((call) => call.operation).filter((name) => /^(List|Get)/.test(name) && name !== 'GetCallerIdentity'));
  assert.deepEqual([...called].sort(), allowed.sort());
});

test('the ECS task logs to the group that the runbook searches, and AWS\'s own model takes it', { skip: lacks('aws') }, () => {
  const task = JSON.parse(text('ecs/task-definition.json'));
  assert.equal(task.containerDefinitions[0].logConfiguration.options['awslogs-group'], '/ecs/connector-partner-central');

  const checked = program('aws', ['ecs', 'register-task-definition', '--region', 'us-east-1', '--cli-input-json', `file://${deploy('ecs/task-definition.json')}`, '--generate-cli-skeleton', 'output'],
    { env: { PATH: process.env.PATH, HOME: '/nonexistent', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y', AWS_EC2_METADATA_DISABLED: 'true' } });

  assert.equal(checked.status, 0, checked.stderr);
});

test('every setting that the manifests give is one that pcw knows', { skip: program('python3', ['-c', 'import yaml']).status === 0 ? false : 'python3-yaml is not installed' }, async () => {
  const parsed = program('python3', ['-c', 'import sys,yaml,json; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))'], { input: text('kubernetes/pcw.yaml') });
  assert.equal(parsed.status, 0, parsed.stderr);
  const documents = JSON.parse(parsed.stdout);
  assert.deepEqual(documents.map((document) => document.kind), ['ServiceAccount', 'ConfigMap', 'Deployment', 'Service']);
  const file = path.join(scratch(), 'pcw.yaml');
  writeFileSync(file, documents[1].data['pcw.yaml']);

  const pod = documents[2].spec.template.spec;
  const given = Object.fromEntries(pod.containers[0].env.map(({ name, value }) => [name, value ?? 'postgresql://pcw@db/pcw']));
  assert.equal(pod.enableServiceLinks, false);
  // What a cluster adds all the same: the links of services named pcw and pcw-something, and the identity webhook's variables.
  const token = path.join(scratch(), 'token');
  writeFileSync(token, 'token');
  const injected = { PCW_SERVICE_HOST: '10.96.0.9', PCW_SERVICE_PORT: '80', PCW_SERVICE_PORT_HTTP: '80', PCW_PORT: 'tcp://10.96.0.9:80', PCW_PORT_80_TCP: 'tcp://10.96.0.9:80',
    PCW_PORT_80_TCP_PROTO: 'tcp', PCW_PORT_80_TCP_PORT: '80', PCW_PORT_80_TCP_ADDR: '10.96.0.9', PCW_METRICS_SERVICE_HOST: '10.96.0.10', PCW_METRICS_PORT: 'tcp://10.96.0.10:9100',
    AWS_REGION: 'eu-central-1', AWS_DEFAULT_REGION: 'eu-central-1', AWS_STS_REGIONAL_ENDPOINTS: 'regional', AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/pcw', AWS_WEB_IDENTITY_TOKEN_FILE: token };
  const cluster = await run(['config', 'check'], { ...given, ...injected, PCW_CONFIG: file });
  const shown = await run(['config', 'show', '-o', 'json'], { ...given, ...injected, PCW_CONFIG: file });
  const settings = Object.fromEntries(JSON.parse(shown.stdout).map(({ key, value }) => [key, value]));
  assert.equal(settings['lake.region'], 'us-east-1', 'the bucket is not looked for where the cluster is');
  const variables = JSON.parse(text('ecs/task-definition.json')).containerDefinitions[0].environment;
  const task = await run(['config', 'check'], { PCW_HOME: path.join(scratch(), 'home'), ...Object.fromEntries(variables.map(({ name, value }) => [name, value])) });

  assert.equal(cluster.code, 0, cluster.stderr);
  assert.equal(task.code, 0, task.stderr);
});

test('systemd takes the unit', { skip: lacks('systemd-analyze') }, () => {
  const dir = scratch();
  const unit = path.join(dir, 'pcw.service');
  writeFileSync(unit, text('debian/pcw.service').replace('/usr/bin/pcw', PCW).replace('Documentation=man:pcw(1)\n', ''));

  const checked = program('systemd-analyze', ['verify', '--man=no', unit]);

  assert.equal(checked.status, 0, checked.stderr);
  assert.doesNotMatch(checked.stderr, /pcw\.service/);
});

test('the package holds the binary, its unit, manual and completions, and its settings are the administrator\'s', { skip: lacks('dpkg-deb') }, async () => {
  const built = program(path.join(root, 'scripts/package'), [], { cwd: root });
  assert.equal(built.status, 0, built.stderr);
  const file = built.stdout.trim();
  assert.ok(existsSync(file), file);

  const into = path.join(scratch(), 'root');
  const control = path.join(scratch(), 'control');
  mkdirSync(into);
  for (const args of [['-x', file, into], ['-e', file, control]]) assert.equal(program('dpkg-deb', args).status, 0);

  assert.equal(readFileSync(path.join(control, 'conffiles'), 'utf8'), '/etc/default/pcw\n/etc/pcw/pcw.yaml\n');
  assert.match(readFileSync(path.join(control, 'control'), 'utf8'), /^Depends: .*libpq5/m);
  for (const script of ['postinst', 'prerm', 'postrm']) {
    assert.equal(program('sh', ['-n', path.join(control, script)]).status, 0, script);
    assert.equal(statSync(path.join(control, script)).mode & 0o777, 0o755, script);
  }
  assert.equal(statSync(path.join(into, 'etc/default/pcw')).mode & 0o777, 0o600);
  for (const name of ['usr/lib/systemd/system/pcw.service', 'usr/share/man/man1/pcw.1.gz', 'usr/share/bash-completion/completions/pcw', 'usr/share/doc/pcw/pcw.example.yaml'])
    assert.ok(statSync(path.join(into, name)).size > 0, name);
  // What README.md links to is there, and the terms in the form that Debian's tools read.
  for (const name of ['docs/cli.md', 'docs/adr/0001-errors-are-values.md', 'CHANGELOG.md'])
    assert.ok(existsSync(path.join(into, 'usr/share/doc/pcw', name)), name);
  const copyright = readFileSync(path.join(into, 'usr/share/doc/pcw/copyright'), 'utf8');
  assert.match(copyright, /^Format: https:\/\/www\.debian\.org\/doc\/packaging-manuals\/copyright-format\/1\.0\/\n/);
  assert.match(copyright, /^License: Apache-2\.0$/m);
  const version = program(path.join(into, 'usr/bin/pcw'), ['version'], { env: { HOME: '/nonexistent' } });
  assert.equal(version.status, 0, version.stderr);
  const config = await run(['--config', path.join(into, 'etc/pcw/pcw.yaml'), 'config', 'check']);
  assert.equal(config.code, 0, config.stderr);
});

test('a full sync works in a cluster outside us-east-1, under a service named pcw', async () => {
  const here = await site(postgres, sim, { ...NO_QUOTA, AWS_REGION: 'eu-central-1', AWS_DEFAULT_REGION: 'eu-central-1', PCW_SERVICE_HOST: '10.96.0.9', PCW_PORT: 'tcp://10.96.0.9:80', PCW_PORT_80_TCP_ADDR: '10.96.0.9' });

  const synced = await here.pcw(['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full']);

  assert.equal(synced.code, 0, synced.stderr);
});
