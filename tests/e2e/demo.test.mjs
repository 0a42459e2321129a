// pcw demo, as a newcomer runs it: its own embedded PostgreSQL and simulator, and the service on it with --serve.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { takeFirstToken } from './api_service.mjs';
import { PCW, scratch } from './harness.mjs';

test('pcw demo --fast --serve syncs, serves what it synced, and ends at Ctrl-C with nothing left running', { timeout: 180_000 }, async () => {
  const home = scratch();
  // The caller's own AWS settings and pcw's must not reach the demo.
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', PCW_HOME: home, AWS_ACCESS_KEY_ID: 'AKIANOTTHEDEMOSOWN00', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
  const demo = spawn(PCW, ['demo', '--fast', '--serve'], { env, cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
  process.on('exit', () => demo.kill('SIGKILL'));
  let out = '', err = '';
  demo.stdout.setEncoding('utf8');
  demo.stderr.setEncoding('utf8');
  demo.stderr.on('data', (chunk) => (err += chunk));
  const ended = once(demo, 'exit');
  const lines = () => out.split('\n').slice(0, -1).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const said = (matches) => new Promise((resolve, reject) => {
    const look = () => { const found = lines().find(matches); if (found) resolve(found); };
    demo.stdout.on('data', (chunk) => { if (chunk) look(); });
    ended.then(([code]) => reject(new Error(`the demo ended with ${code}:\n${out}\n${err}`)));
    look();
  });
  demo.stdout.on('data', (chunk) => (out += chunk));

  const token = takeFirstToken((await said((line) => line.first_token_file)).first_token_file);
  const { url } = await said((line) => line.msg === 'serving');
  await said((line) => line.msg === 'ready');
  assert.match(out, /\$ pcw sync run partner-central opportunities --mode full/);
  assert.match(out, /\$ pcw sync run partner-central opportunities --mode incremental/);

  const ask = async (route) => (await fetch(url + route, { headers: { authorization: `Bearer ${token}` } })).json();
  const health = await ask('/v1/connectors/partner-central/health');
  assert.deepEqual(health.entities.map((entity) => [entity.entity, entity.status]), [['opportunities', 'ok'], ['leads', 'ok'], ['solutions', 'ok'], ['profiles', 'ok']]);
  const runs = (await ask('/v1/runs?entity=opportunities&status=succeeded')).items;
  assert.equal(runs.at(-1).stats.records_processed, 150);

  demo.kill('SIGINT');
  const [code] = await ended;
  assert.equal(code, 0, err);
  assert.ok(existsSync(path.join(home, 'demo/pg')) && !existsSync(path.join(home, 'demo/pg/data/postmaster.pid')), 'PostgreSQL is stopped');
  await assert.rejects(fetch(`${url}/healthz`), 'nothing listens any more');
});
