// The REST interface of `pcw serve`: the built binary, real PostgreSQL, the simulator, raw sockets.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Postgres, Sim, site, scratch, NO_QUOTA } from './harness.mjs';
import { Service, makeToken } from './api_service.mjs';

let postgres, sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '40', '--leads', '3', '--solutions', '2', '--profiles', '1', '--seed', '5', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

const OTHER_TENANT = '00000000-0000-0000-0000-0000000000b2';

async function withService(body, env = {}) {
  const here = await site(postgres, sim, NO_QUOTA);
  const service = await Service.start(here, env);
  try {
    await body(service, here);
  } finally {
    await service.stop();
  }
}

/** A tenant beside the default one, with a token of every right. */
async function otherTenant(here, token) {
  // The row of a token that pcw made, given to another tenant.
  here.sql(`INSERT INTO tenants (id, name) VALUES ('${OTHER_TENANT}', 'other')`);
  here.sql(`UPDATE api_tokens SET tenant_id = '${OTHER_TENANT}' WHERE id = '${token.split('_')[1]}'`);
}

test('the first start writes one admin token for a day to a file of its own, and SIGTERM ends the service with 0', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  const first = await Service.start(here);
  assert.match(first.token, /^pcw_[0-9a-f]{16}_[0-9a-f]{64}_[0-9a-f]{8}$/);
  assert.equal((await first.get('/v1/connectors')).status, 200);
  assert.equal(await first.stop(), 0);
  assert.ok(!(first.out + first.err).includes(first.token), 'the token stands in no log');
  assert.equal(first.lines().find((line) => line.first_token_file).first_token_file, path.join(here.env.PCW_HOME, 'first-admin-token'));
  assert.equal(here.sql("SELECT expires_at = created_at + interval '24 hours' FROM api_tokens"), 't');
  assert.equal(statSync(here.env.PCW_HOME).mode & 0o077, 0, 'nobody else can read the home');
  assert.deepEqual(first.lines().map((line) => line.msg).filter((msg) => /drain/.test(msg)), ['draining: no new work is taken', 'drained']);

  const second = await Service.start(here);
  assert.equal(second.token, undefined);
  assert.equal((await second.get('/v1/connectors', { token: first.token })).status, 200);
  assert.equal(await second.stop(), 0);
});

test('the runbook\'s curl works as written', () => withService(async (service) => {
  const out = execFileSync('curl', ['-s', '-i', '-X', 'POST', `${service.url}/v1/connectors/partner-central/sync`,
    '-H', `Authorization: Bearer ${service.token}`, '-d', '{"entity": "opportunities", "mode": "full"}'], { encoding: 'utf8' });
  assert.match(out, /^HTTP\/1\.1 202 Accepted\r\n/);
  const run = JSON.parse(out.slice(out.indexOf('\r\n\r\n')));
  assert.match(out, new RegExp(`Location: /v1/runs/${run.id}\r\n`));
  assert.equal(run.entity, 'opportunities');
  assert.equal(run.mode, 'full');
  assert.equal(run.status, 'queued');
  assert.equal(run.is_new, true);
  assert.equal((await service.get(`/v1/runs/${run.id}`)).json.id, run.id);
}));

test('1,000 concurrent identical triggers make one run', () => withService(async (service, here) => {
  const agent = new http.Agent({ maxSockets: 1000 });
  const answers = await Promise.all(Array.from({ length: 1000 }, () => service.trigger({ entity: 'opportunities', mode: 'full' }, { agent })));

  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [202]);
  assert.equal(new Set(answers.map((answer) => answer.json.id)).size, 1);
  assert.equal(answers.filter((answer) => answer.json.is_new).length, 1);
  assert.equal(here.sql('SELECT count(*) FROM ingestion_runs'), '1');
  assert.equal(here.sql('SELECT count(*) FROM jobs'), '1');
}));

test('a key has one effect: same body, other body, another principal, and K at once', () => withService(async (service, here) => {
  const body = { entity: 'leads', mode: 'full' };
  const key = { headers: { 'idempotency-key': 'k-1' } };
  const first = await service.trigger(body, key);
  assert.equal(first.status, 202);
  await service.ask('POST', `/v1/runs/${first.json.id}/cancel`);
  const again = await service.trigger(body, key);
  assert.equal(again.status, 202);
  assert.equal(again.text, first.text, 'byte for byte, although the run has ended');
  assert.equal(again.headers.location, first.headers.location);
  assert.equal(again.headers['idempotency-replayed'], 'true');
  const other = await service.trigger({ entity: 'leads', mode: 'incremental' }, key);
  assert.equal(other.status, 422);
  assert.equal(other.json.code, 'idempotency_mismatch');
  assert.equal(here.sql('SELECT count(*) FROM ingestion_runs'), '1');

  const mate = await makeToken(here, 'mate', ['sync:run']);
  const theirs = await service.trigger({ entity: 'solutions' }, { ...key, token: mate });
  assert.equal(theirs.status, 202, 'a key is its principal\'s own');

  const many = await Promise.all(Array.from({ length: 40 }, () => service.trigger({ entity: 'profiles' }, { headers: { 'idempotency-key': 'k-2' } })));
  for (const answer of many) assert.ok([202, 409].includes(answer.status), answer.text);
  assert.equal(new Set(many.filter((answer) => answer.status === 202).map((answer) => answer.text)).size, 1);
  for (const bad of ['', 'x'.repeat(256)]) assert.equal((await service.trigger(body, { headers: { 'idempotency-key': bad } })).json.code, 'invalid_idempotency_key');
  assert.equal((await service.trigger({ entity: 'nothing' }, { headers: { 'idempotency-key': 'k-3' } })).status, 400);
  assert.equal((await service.trigger({ entity: 'profiles' }, { headers: { 'idempotency-key': 'k-3' } })).status, 202, 'a refused request does not use its key up');
}));

test('every route answers no token, a bad one, too small a scope and another tenant\'s', () => withService(async (service, here) => {
  const description = (await service.get('/openapi.json')).json;
  const run = (await service.trigger({ entity: 'opportunities' })).json.id;
  const everything = await makeToken(here, 'everything', ['admin']);
  await otherTenant(here, everything);
  const scopes = ['sync:run', 'runs:read', 'data:read', 'dlq:read', 'meter:read'];
  const tokens = {};
  for (const scope of scopes) tokens[scope] = await makeToken(here, scope.replace(':', '-'), [scope]);
  const flipped = service.token.slice(0, 30) + (service.token[30] === '0' ? '1' : '0') + service.token.slice(31);
  // Well formed, a known id, another secret: only the database can tell.
  const body = service.token.slice(0, 30) + (service.token[30] === '0' ? '1' : '0') + service.token.slice(31, -9);
  const forged = `${body}_${createHash('sha256').update(body).digest('hex').slice(0, 8)}`;
  assert.equal((await service.get('/v1/runs', { token: forged })).status, 401);
  const unknown = `pcw_${'0'.repeat(16)}_${'1'.repeat(64)}`;
  assert.equal((await service.get('/v1/runs', { token: `${unknown}_${createHash('sha256').update(unknown).digest('hex').slice(0, 8)}` })).status, 401);
  const texts = new Set();
  let seen = 0;
  for (const [template, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const route = template.replace('{connector}', 'partner-central').replace('{id}', run);
      const body = template === '/v1/dlq/drop' ? '{"entity":"opportunities","reason":"test"}' : '{"entity":"opportunities"}';
      const call = (token) => service.ask(method.toUpperCase(), route, { token, body: operation.requestBody ? body : undefined, agent: new http.Agent() });
      if (template.endsWith('/events')) continue;  // a stream; tested on its own
      seen += 1;
      if (operation.security.some((one) => Object.keys(one).length === 0)) {
        assert.notEqual((await call('')).status, 401, route);
        continue;
      }
      for (const bad of ['', 'nonsense', flipped, service.token.toUpperCase(), `${service.token}x`]) {
        const answer = await call(bad);
        assert.equal(answer.status, 401, `${method} ${route}`);
        assert.equal(answer.headers['www-authenticate'], 'Bearer');
        texts.add(JSON.stringify({ ...answer.json, request_id: '' }));
      }
      const wrong = scopes.find((scope) => scope !== operation['x-scope'] && scope !== 'admin');
      const low = await call(tokens[wrong]);
      assert.equal(low.status, 403, `${method} ${route} with ${wrong}`);
      assert.equal(low.json.code, 'forbidden');
      const foreign = await call(everything);
      if (template.includes('{') || ['/v1/quota', '/v1/doctor', '/v1/dlq/replay'].includes(template)) assert.equal(foreign.status, 404, `${method} ${route}: ${foreign.text}`);
      else if (template === '/v1/dlq/drop') assert.deepEqual([foreign.status, foreign.json.dropped], [200, 0], foreign.text);
      else assert.deepEqual([foreign.status, foreign.json.items], [200, []], `${method} ${route}: ${foreign.text}`);
      assert.ok(!foreign.text.includes(run), `${route} tells a foreign id`);
    }
  }
  assert.equal(texts.size, 1, 'one text for every cause of a 401');
  assert.ok(seen >= 14, `${seen}`);
  for (const route of ['/v1/actions', '/v1/audit', '/v1/entitlements', '/v1/meter/ledger']) assert.equal((await service.get(route)).status, 404, route);
  // The wrong secret for a known id, and what is not a token at all.
  for (const authorization of ['Basic eDp5', `bearer\t${service.token}`, `Bearer  ${service.token}`, 'Bearer', `Bearer ${'x'.repeat(5000)}`])
    assert.equal((await service.get('/v1/runs', { headers: { authorization } })).status, 401, authorization.slice(0, 12));
  assert.equal((await service.get(`/v1/runs?token=${service.token}`, { token: '' })).status, 401, 'a token in the address counts for nothing');
}));

test('a revoked token ends within five seconds everywhere, an expired one at once', () => withService(async (service, here) => {
  const other = await Service.start(here);
  const token = await makeToken(here, 'short', ['runs:read'], ['--expires', '1h']);
  for (const one of [service, other]) assert.equal((await one.get('/v1/runs', { token })).status, 200);
  assert.equal((await here.pcw(['token', 'revoke', 'short'])).code, 0);
  const revoked_at = Date.now();
  for (const one of [service, other]) {
    while ((await one.get('/v1/runs', { token })).status !== 401) assert.ok(Date.now() - revoked_at < 5_000, 'still accepted');
  }
  const expired = await makeToken(here, 'expired', ['runs:read'], ['--expires', '1h']);
  here.sql('UPDATE api_tokens SET expires_at = now() - interval \'1 second\' WHERE name = \'expired\'');
  assert.equal((await service.get('/v1/runs', { token: expired })).status, 401);
  const early = await makeToken(here, 'early', ['runs:read']);
  here.sql('UPDATE api_tokens SET created_at = now() + interval \'1 hour\' WHERE name = \'early\'');
  assert.equal((await service.get('/v1/runs', { token: early })).status, 401);
  const listed = JSON.parse((await here.pcw(['token', 'list', '-o', 'json'])).stdout);
  assert.deepEqual(listed.map((row) => [row.name, row.state]).filter(([name]) => name !== 'early'), [['expired', 'expired'], ['short', 'revoked'], ['first-admin', 'live']]);
  // A dump holds no usable token (I31).
  const dump = execFileSync('psql', ['-XAt', '-d', postgres.url(here.database), '-c', 'SELECT * FROM api_tokens'], { encoding: 'utf8' });
  for (const secret of [service.token, token, expired]) assert.ok(!dump.includes(secret.split('_')[2]));
  await other.stop();
}));

test('bad bodies are refused with their code', () => withService(async (service, here) => {
  const table = [
    ['', 'invalid_json'], ['not json', 'invalid_json'], ['{"entity":"leads"}{}', 'invalid_json'], ['{"entity":"leads"} x', 'invalid_json'],
    ['[]', 'invalid_json'], ['null', 'invalid_json'], ['"x"', 'invalid_json'], [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_json'],
    ['\ufeff{"entity":"leads"}', 'invalid_json'], ['{"entity":"\\ud800"}', 'invalid_json'], [`{"entity":${'['.repeat(40)}${']'.repeat(40)}}`, 'json_too_deep'],
    ['{"mode":"full","mode":"x"}', 'duplicate_key'], ['{"entty":"leads"}', 'unknown_field'], ['{}', 'invalid_entity'], ['{"entity":null}', 'invalid_entity'],
    ['{"entity":""}', 'invalid_entity'], ['{"entity":"Opportunities"}', 'invalid_entity'], ['{"entity":"opportunities "}', 'invalid_entity'],
    ['{"entity":"opportunities\\u0000"}', 'invalid_field'], ['{"entity":"\\u202eleads"}', 'invalid_entity'], ['{"entity":"all"}', 'invalid_entity'],
    [`{"entity":"${'x'.repeat(10_000)}"}`, 'invalid_field'], ['{"entity":"leads","mode":"replay"}', 'invalid_field'], ['{"entity":"leads","mode":1}', 'invalid_field'],
    ['{"entity":"leads\' OR 1=1 --"}', 'invalid_entity'],
  ];
  for (const [body, code] of table) {
    const answer = await service.trigger("", { body });
    assert.equal(answer.status, 400, `${body}: ${answer.text}`);
    assert.equal(answer.json.code, code, `${body}: ${answer.text}`);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.ok(answer.json.request_id && answer.json.doc, answer.text);
    assert.ok(!answer.text.includes('x'.repeat(200)));
  }
  for (const [headers, status] of [[{ 'content-type': 'text/plain' }, 415], [{ 'content-type': 'application/json; charset=latin1' }, 415], [{ 'content-encoding': 'gzip' }, 415],
    [{ 'content-type': 'application/x-ndjson' }, 202], [{ 'content-type': 'application/json; charset=utf-8' }, 202]])
    assert.equal((await service.trigger({ entity: 'leads' }, { headers })).status, status, JSON.stringify(headers));
  assert.equal((await service.trigger(`{"entity":"leads"${' '.repeat(65_536)}}`)).status, 413);
  assert.equal((await service.ask('POST', '/v1/connectors/nowhere/sync', { body: '{"entity":"leads"}' })).status, 404);
  assert.equal(here.sql('SELECT count(*) FROM ingestion_runs'), '1');
}));

test('bad queries, ids and cursors are refused', () => withService(async (service) => {
  for (const entity of ['opportunities', 'leads', 'solutions', 'profiles']) assert.equal((await service.trigger({ entity })).status, 202);
  for (const [query, code] of [['limit=-1', 'invalid_parameter'], ['limit=0', 'invalid_parameter'], ['limit=1e9', 'invalid_parameter'], ['limit=abc', 'invalid_parameter'],
    ['limit=1&limit=2', 'invalid_parameter'], ['entity=%00', 'invalid_parameter'], ['entity=x', 'invalid_parameter'], ['status=done', 'invalid_parameter'],
    ['colour=red', 'unknown_parameter'], ['cursor=x', 'invalid_cursor'], ['entity=%27%20OR%201%3D1', 'invalid_parameter']]) {
    const answer = await service.get(`/v1/runs?${query}`);
    assert.deepEqual([answer.status, answer.json.code], [400, code], query);
  }
  const seen = [];
  let cursor = '';
  do {
    const page = (await service.get(`/v1/runs?limit=3${cursor && `&cursor=${cursor}`}`)).json;
    seen.push(...page.items.map((run) => run.entity));
    cursor = page.next_cursor;
  } while (cursor);
  assert.deepEqual(seen, ['profiles', 'solutions', 'leads', 'opportunities']);
  cursor = (await service.get('/v1/runs?limit=1')).json.next_cursor;
  for (const bad of [`cursor=${cursor}&entity=leads`, `cursor=${cursor.replace(/.$/, (c) => (c === '0' ? '1' : '0'))}`, `cursor=${cursor.replace(/.(?=\.)/, (c) => (c === '0' ? '1' : '0'))}`])
    assert.equal((await service.get(`/v1/runs?${bad}`)).json.code, 'invalid_cursor', bad);
  for (const list of ['dlq', 'drift']) assert.equal((await service.get(`/v1/${list}?cursor=${cursor}`)).json.code, 'invalid_cursor', 'a cursor is of its list');
  for (const id of ['x', '019ab6d0', '019ab6d0-0000-7000-8000-000000000001', '%2e%2e']) assert.equal((await service.get(`/v1/runs/${id}`)).status, 404, id);
}));

test('dead letters and drift come page by page, each once, whatever happens meanwhile', () => withService(async (service, here) => {
  assert.equal((await here.pcw(['sync', 'run', 'partner-central', 'leads', '--mode', 'full'])).code, 0);
  here.sql(`DELETE FROM schema_drift;
    INSERT INTO dead_letters (tenant_id, id, run_id, connector_id, entity, catalog, record_key, stage, error_code, error)
    SELECT tenant_id, ('019ab6d0-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, id, connector_id, 'leads', catalog, 'r' || n, 'fetch', 'timeout', 'too slow' FROM ingestion_runs, generate_series(1, 7) n;
    INSERT INTO schema_drift (tenant_id, connector_id, entity, kind, operation, pointer, column_name, found, expected, records, first_seen_run, last_seen_run)
    SELECT tenant_id, connector_id, 'leads', 'unknown_member', 'GetEngagement', '/x' || n, '', 'string', '', 1, id, id FROM ingestion_runs, generate_series(1, 7) n`);
  for (const [list, name, change] of [['dlq', (row) => row.record_key.slice(1), 'UPDATE dead_letters SET last_seen_at = now() WHERE record_key = \'r2\''],
    ['drift', (row) => row.pointer.slice(2), 'UPDATE schema_drift SET last_seen_at = now() WHERE pointer = \'/x2\'']]) {
    const seen = [];
    let cursor = '';
    do {
      const page = await service.get(`/v1/${list}?entity=leads&limit=3${cursor && `&cursor=${cursor}`}`);
      assert.equal(page.status, 200, page.text);
      seen.push(...page.json.items.map(name));
      cursor = page.json.next_cursor;
      here.sql(change);
    } while (cursor);
    assert.deepEqual(seen, ['7', '6', '5', '4', '3', '2', '1'], list);
    cursor = (await service.get(`/v1/${list}?limit=1`)).json.next_cursor;
    for (const bad of [`cursor=${cursor}&entity=leads`, `cursor=${cursor.replace(/.$/, (c) => (c === '0' ? '1' : '0'))}`, `cursor=${cursor.replace(/.(?=\.)/, (c) => (c === '0' ? '1' : '0'))}`])
      assert.equal((await service.get(`/v1/${list}?${bad}`)).json.code, 'invalid_cursor', bad);
  }
}));

test('rates are limited per token and per address, with Retry-After', () => withService(async (service) => {
  const statuses = [];
  let limited;
  for (let i = 0; i < 40; ++i) {
    const answer = await service.get('/v1/connectors');
    statuses.push(answer.status);
    if (answer.status === 429) limited = answer;
  }
  assert.ok(statuses.filter((status) => status === 200).length >= 10, `${statuses}`);
  assert.ok(limited, `${statuses}`);
  assert.equal(limited.json.code, 'rate_limited');
  assert.ok(Number(limited.headers['retry-after']) >= 1);
  assert.equal((await service.get('/v1/connectors', { from: '127.0.0.9', token: 'x' })).status, 401, 'another address has its own');
}, { PCW_SERVER_REQUESTS_PER_SECOND: '5' }));

test('health follows the age of the data, and metrics tell it', () => withService(async (service, here) => {
  const health = async () => (await service.get('/v1/connectors/partner-central/health')).json;
  assert.deepEqual([(await health()).status, (await health()).entities.map((one) => one.status)], ['never', ['never', 'never', 'never', 'never']]);
  assert.equal((await here.pcw(['sync', 'run', 'partner-central', 'all', '--mode', 'full'])).code, 0);
  const fresh = await health();
  assert.equal(fresh.status, 'ok');
  assert.ok(fresh.entities[0].data_age_seconds < 120 && fresh.entities[0].watermark);
  here.sql('UPDATE ingestion_runs SET started_at = now() - interval \'12 minutes\' WHERE entity = \'opportunities\'');
  assert.deepEqual((await health()).entities.map((one) => one.status), ['stale', 'ok', 'ok', 'ok']);
  here.sql(`INSERT INTO ingestion_runs (tenant_id, id, connector_id, entity, mode, status, catalog, ended_at, fence, error_code)
    SELECT tenant_id, gen_random_uuid(), connector_id, entity, 'full', 'failed', catalog, now(), fence, 'unavailable' FROM ingestion_runs WHERE entity = 'leads'`);
  const failing = await health();
  assert.equal(failing.status, 'failing');
  assert.equal(failing.entities[1].last_run_error_code, 'unavailable');

  const metrics = await service.get('/metrics', { token: '' });
  assert.equal(metrics.status, 200);
  assert.match(metrics.text, /^pcw_data_age_seconds\{entity="opportunities"\} 7[23]\d$/m);
  assert.match(metrics.text, /^pcw_data_fresh\{entity="solutions"\} 1$/m);
  assert.match(metrics.text, /^pcw_run_ended_24h\{entity="leads",status="failed"\} 1$/m);
  assert.match(metrics.text, /^pcw_quota_remaining\{class="read",window="24h"\} \d+$/m);
  assert.match(metrics.text, /^# TYPE pcw_dead_letters gauge$/m);
  assert.equal((await service.get('/metrics', { token: '', headers: { 'x-forwarded-for': '203.0.113.9' } })).status, 401, 'not through a proxy');
  const quota = (await service.get('/v1/quota')).json.items;
  assert.deepEqual(quota.map((row) => row.quota_class), ['read', 'write']);
  assert.ok(Array.isArray((await service.get('/v1/drift?status=all')).json.items));
  assert.deepEqual((await service.get('/v1/dlq?state=all')).json.items, []);
  const report = (await service.get('/v1/doctor')).json;
  assert.ok(report.verdict.text && Array.isArray(report.findings));
}));

test('progress comes as events and ends with the run', () => withService(async (service) => {
  const run = (await service.trigger({ entity: 'opportunities' })).json.id;
  const request = http.get({ host: '127.0.0.1', port: service.port, path: `/v1/runs/${run}/events`, headers: { authorization: `Bearer ${service.token}` } });
  const [answer] = await once(request, 'response');
  assert.equal(answer.headers['content-type'], 'text/event-stream');
  answer.setEncoding('utf8');
  let text = '';
  let is_cancelled = false;
  for await (const chunk of answer) {
    text += chunk;
    if (!is_cancelled && text.includes('event: run')) {
      is_cancelled = true;
      assert.equal((await service.ask('POST', `/v1/runs/${run}/cancel`)).status, 202);
    }
  }
  const events = [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, name, data]) => [name, JSON.parse(data).status]);
  assert.deepEqual(events, [['run', 'queued'], ['run', 'cancelled'], ['end', 'cancelled']]);
  const again = await service.ask('POST', `/v1/runs/${run}/cancel`);
  assert.deepEqual([again.status, again.json.code], [409, 'conflict']);
  assert.equal((await service.get(`/v1/runs/${run}/events`, { token: '' })).status, 401);
}));

test('an event stream ends with its token', () => withService(async (service, here) => {
  const token = await makeToken(here, 'watcher', ['runs:read']);
  const run = (await service.trigger({ entity: 'opportunities' })).json;
  const request = http.get({ host: '127.0.0.1', port: service.port, path: `/v1/runs/${run.id}/events`, headers: { authorization: `Bearer ${token}` } });
  const [answer] = await once(request, 'response');
  answer.resume();
  assert.equal((await here.pcw(['token', 'revoke', 'watcher'])).code, 0);
  const revoked_at = Date.now();
  await once(answer, 'end');
  assert.ok(Date.now() - revoked_at < 5_000, `${Date.now() - revoked_at} ms`);
}));

test('what the configuration leaves out is not synced, whoever asks', () => withService(async (service) => {
  const refused = await service.trigger({ entity: 'leads' });
  assert.deepEqual([refused.status, refused.json.code], [400, 'invalid_entity']);
  assert.match(refused.json.detail, /configured are: opportunities, profiles/);
  assert.equal((await service.trigger({ entity: 'profiles' })).status, 202);
}, { PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities,profiles' }));

test('TLS serves curl, and an open address needs it', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  const dir = scratch();
  const [cert, key] = [path.join(dir, 'cert.pem'), path.join(dir, 'key.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'pipe' });
  const service = await Service.start(here, { PCW_SERVER_TLS_CERT: cert, PCW_SERVER_TLS_KEY: key });
  assert.match(service.url, /^https:/);
  const answer = execFileSync('curl', ['-s', '-S', '--cacert', cert, '-H', `Authorization: Bearer ${service.token}`, `${service.url}/v1/connectors`], { encoding: 'utf8' });
  assert.equal(JSON.parse(answer).items[0].name, 'partner-central');
  assert.throws(() => execFileSync('curl', ['-s', '--cacert', cert, '--tls-max', '1.1', `${service.url}/healthz`], { stdio: 'pipe' }));
  assert.equal(await service.stop(), 0);

  const open = await here.pcw(['serve'], { PCW_SERVER_LISTEN: '0.0.0.0:0' });
  assert.equal(open.code, 78);
  assert.match(open.stdout + open.stderr, /server\.insecure_listen/);
});

test('the description is valid OpenAPI 3.1 and the committed one is served', () => withService(async (service) => {
  const served = await service.get('/openapi.json', { token: '' });
  const committed = readFileSync(path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../../docs/openapi.json'), 'utf8');
  assert.equal(served.text, committed);
  const checked = await new Validator().validate(JSON.parse(served.text));
  assert.ok(checked.valid, JSON.stringify(checked.errors));
  assert.ok(served.json.openapi.startsWith('3.1'));
}));
