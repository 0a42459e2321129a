// Changes on their way out: CloudEvents to a webhook or an event bus, at least once, the same bytes at every try.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Postgres, Sim, site, canary, differences, NO_QUOTA } from './harness.mjs';
import { Service, until } from './service.mjs';

const FULL = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const SWEEP = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'incremental'];
const SECRET = canary('hook-secret-8d1f0c');
const COUNT = 30;

let postgres;
let sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', String(COUNT), '--seed', '8', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

/** A webhook that answers what `answers` says, one after the other, then 200; it remembers what came. */
async function receiver(answers = []) {
  const came = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const { status, headers } = { status: 200, headers: {}, ...(answers.shift() ?? {}) };
      came.push({ body, event: JSON.parse(body), headers: request.headers, method: request.method, url: request.url, status, at: Date.now() });
      response.writeHead(status, headers);
      response.end();
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return { came, answers, url: `http://127.0.0.1:${server.address().port}/hook`, delivered: () => came.filter((one) => one.status < 300), stop: () => server.close() };
}

const toWebhook = (hook, more = {}) => ({ ...NO_QUOTA, PCW_EVENTS_OUT_URL: hook.url, PCW_EVENTS_OUT_PRIVATE: 'true', PCW_SYNC_LAG: '1s', ...more });

async function withService(env, body, roles = 'events') {
  const here = await site(postgres, sim, env);
  const started = [];
  const start = async (more = {}) => {
    const service = await Service.start({ ...here.env, ...more }, ['--roles', roles]);
    started.push(service);
    return service;
  };
  try {
    await body({ here, start, until: (query, wanted) => until(here, postgres, query, wanted), out: async () => JSON.parse((await here.pcw(['events', 'status', '-o', 'json'])).stdout).out });
  } finally {
    for (const service of started) await service.kill();
  }
}

const PENDING = "SELECT count(*) FROM change_outbox WHERE state = 'pending'";
const ids = (came) => new Set(came.map((one) => one.event.id));

test('what a sync changes is told once each: created, then updated with the names of columns and no value', async () => {
  const hook = await receiver();
  await withService(toWebhook(hook, { PCW_EVENTS_OUT_SECRET: SECRET }), async ({ here, start, until, out }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    assert.equal(here.sql(PENDING), String(COUNT));
    const service = await start();
    await until(PENDING, (n) => n === '0');
    assert.equal(hook.came.length, COUNT);
    assert.deepEqual(new Set(hook.came.map((one) => one.event.type)), new Set(['com.pcw.opportunity.created']));

    const changed = (await sim.modify({ count: 3 })).ids;
    hook.came.length = 0;
    assert.equal((await here.pcw(SWEEP)).code, 0);
    await until(PENDING, (n) => n === '0');
    assert.equal(hook.came.length, 3);
    for (const { event, body, headers, method } of hook.came) {
      assert.equal(method, 'POST');
      assert.equal(headers['content-type'], 'application/cloudevents+json; charset=utf-8');
      assert.equal(event.specversion, '1.0');
      assert.equal(event.type, 'com.pcw.opportunity.updated');
      assert.equal(event.source, '/pcw/default/partner-central/AWS');
      assert.equal(event.datacontenttype, 'application/json');
      assert.ok(changed.includes(event.data.id));
      assert.equal(event.subject, `opportunities/${event.data.id}`);
      assert.equal(event.data.version, here.sql(`SELECT source_version FROM partnercentral_opportunities WHERE pc_opportunity_id = '${event.data.id}'`));
      assert.ok(event.data.changed.length > 0 && event.data.changed.every((column) => /^[a-z_]+$/.test(column)));
      assert.ok(!event.data.changed.includes('source_version'));
      const company = here.sql(`SELECT customer_company_name FROM partnercentral_opportunities WHERE pc_opportunity_id = '${event.data.id}'`);
      assert.ok(!body.includes(company), 'no value of the record');
      const [, at, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['x-pcw-signature']);
      assert.equal(mac, createHmac('sha256', SECRET).update(`${at}.${body}`).digest('hex'));
    }

    // Nothing changed: nothing is told. A re-ingest tells nothing either.
    hook.came.length = 0;
    assert.equal((await here.pcw(FULL)).code, 0);
    assert.equal((await here.pcw(['bronze', 'reingest', '--entity', 'opportunities'])).code, 0);
    assert.equal(here.sql(PENDING), '0');
    assert.equal(here.sql('SELECT count(*) FROM change_outbox'), String(COUNT + 3));
    assert.equal(hook.came.length, 0);
    assert.equal((await out()).delivered_24h, COUNT + 3);
    assert.equal((await service.stop()).code, 0);
  });
  hook.stop();
});

test('500, 429 and 410 are respected: tried again until it works, the same bytes under the same id', async () => {
  const hook = await receiver([{ status: 500 }, { status: 500 }, { status: 429, headers: { 'Retry-After': '1' } }]);
  await withService(toWebhook(hook), async ({ here, start, until }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const service = await start();
    await until(PENDING, (n) => n === '0');
    assert.equal(ids(hook.delivered()).size, COUNT);
    assert.equal(hook.came.length, COUNT + 3);
    for (const failed of hook.came.slice(0, 3))
      assert.equal(hook.delivered().find((one) => one.event.id === failed.event.id).body, failed.body);
    assert.ok(hook.came[3].at - hook.came[2].at >= 1000, 'Retry-After was waited for');
    assert.ok(service.lines.some((line) => /the target of changes is in trouble/.test(line.msg) && line.error === 'the webhook answered 500'));
    assert.ok(service.lines.some((line) => /changes are delivered again/.test(line.msg)));
    assert.equal((await service.stop()).code, 0);
  });
  hook.stop();

  const gone = await receiver(Array.from({ length: 100 }, () => ({ status: 410 })));
  await withService(toWebhook(gone), async ({ here, start, out }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const service = await start();
    await service.line((line) => line.error === 'the webhook answered 410', 'that the target is gone');
    const { code } = await service.stop();
    assert.equal(code, 0);
    assert.equal(gone.came.length, 1, 'who says that he is gone is not asked again for an hour');
    assert.equal((await out()).pending, COUNT);
  });
  gone.stop();
});

test('killed between sending and writing it down: sent again, the same event; of one record the older first', async () => {
  const hook = await receiver();
  await withService(toWebhook(hook), async ({ here, start, until }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const id = (await sim.modify({ count: 1 })).ids[0];
    assert.equal((await here.pcw(SWEEP)).code, 0);
    await sim.modify({ ids: [id] });
    assert.equal((await here.pcw(SWEEP)).code, 0);

    const doomed = await start({ PCW_FAILPOINT: 'events.send.after:5' });
    await doomed.ended;
    assert.equal(doomed.process.signalCode, 'SIGKILL');
    assert.equal(hook.came.length, 5);
    assert.equal(here.sql("SELECT count(*) FROM change_outbox WHERE state = 'delivered'"), '4');
    // Nobody else touches the fifth before its lease ends.
    here.sql("UPDATE change_outbox SET next_at = now() WHERE state = 'pending' AND attempts = 1");
    const service = await start();
    await until(PENDING, (n) => n === '0');
    assert.equal(ids(hook.came).size, COUNT + 2);
    assert.equal(hook.came.length, COUNT + 3, 'one came twice');
    assert.equal(hook.came.filter((one) => one.event.id === hook.came[4].event.id).every((one) => one.body === hook.came[4].body), true);
    const versions = hook.came.filter((one) => one.event.data.id === id).map((one) => one.event.data.version);
    assert.deepEqual([...new Set(versions)], [...new Set(versions)].sort(), 'a record never goes backwards');
    assert.equal((await service.stop()).code, 0);
  });
  hook.stop();
});

test('what cannot be delivered is given up in time, told of, and put back by hand', async () => {
  const hook = await receiver(Array.from({ length: 400 }, () => ({ status: 422 })));
  await withService(toWebhook(hook, { PCW_EVENTS_OUT_GIVE_UP_AFTER: '1s' }), async ({ here, start, until, out }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const service = await start();
    await until("SELECT count(*) FROM change_outbox WHERE state = 'failed'", (n) => n === String(COUNT));
    assert.equal((await out()).given_up, COUNT);
    const doctor = JSON.parse((await here.pcw(['doctor', 'events', '-o', 'json'])).stdout).findings;
    assert.deepEqual(doctor.map((finding) => finding.code), ['PCW3409']);
    hook.answers.length = 0;
    hook.came.length = 0;
    const again = await here.pcw(['events', 'redeliver', '-o', 'json']);
    assert.equal(JSON.parse(again.stdout).waiting_again, COUNT);
    await until(PENDING, (n) => n === '0');
    assert.equal(ids(hook.delivered()).size, COUNT);
    assert.equal((await service.stop()).code, 0);
  });
  hook.stop();
});

test('an event bus takes them ten at a time; entries that fail are tried again by themselves', async () => {
  await sim.post('/_sim/bus', { buses: ['partner-changes'] });
  await sim.resetCalls();
  await sim.faults([{ operation: 'PutEvents', kind: 'bus_entry_failure', n: 3, code: 'ThrottlingException', at: [1] }]);
  await withService({ ...NO_QUOTA, PCW_EVENTS_OUT_URL: 'eventbridge:partner-changes' }, async ({ here, start, until }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const service = await start();
    await until(PENDING, (n) => n === '0');
    const came = await sim.get('/_sim/bus');
    assert.equal(came.length, COUNT);
    assert.equal(new Set(came.map((one) => one.detail.id)).size, COUNT);
    for (const one of came) {
      assert.equal(one.bus, 'partner-changes');
      assert.equal(one.source, 'pcw.partner-central');
      assert.equal(one['detail-type'], 'com.pcw.opportunity.created');
      assert.equal(one.detail.specversion, '1.0');
    }
    const calls = (await sim.calls()).filter((call) => call.operation === 'PutEvents');
    assert.ok(calls.length >= 4 && calls.length <= 6, `${calls.length} calls`);
    assert.ok(calls.every((call) => call.outcome === 'ok'), JSON.stringify(calls));
    assert.equal((await service.stop()).code, 0);
  });
  await sim.faults([]);
});

test('a bus that does not exist, or refuses for good: kept with its error', async () => {
  await withService({ ...NO_QUOTA, PCW_EVENTS_OUT_URL: 'eventbridge:no-such-bus' }, async ({ here, start, out }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const service = await start();
    await service.line((line) => /in trouble/.test(line.msg) && /no-such-bus does not exist/.test(line.error), 'the trouble');
    assert.equal((await out()).pending, COUNT);
    assert.equal((await service.stop()).code, 0);
  });
  await sim.faults([{ operation: 'PutEvents', kind: 'bus_entry_failure', n: 10, code: 'InvalidArgument', at: [1] }]);
  await withService({ ...NO_QUOTA, PCW_EVENTS_OUT_URL: 'eventbridge:default' }, async ({ here, start, until, out }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const service = await start();
    await until(PENDING, (n) => n === '0');
    assert.equal((await out()).given_up, 10);
    assert.match((await out()).error, /^InvalidArgument: /);
    assert.equal((await service.stop()).code, 0);
  });
  await sim.faults([]);
});

test('where events may not go: plain http, private addresses, secrets in the file', async () => {
  const hook = await receiver();
  await withService({ ...NO_QUOTA, PCW_EVENTS_OUT_URL: hook.url }, async ({ here }) => {
    const checked = await here.pcw(['config', 'check']);
    assert.equal(checked.code, 78);
    assert.match(checked.stderr + checked.stdout, /plain http/);
    for (const bad of ['ftp://x/y', 'eventbridge:', 'https://user@host/x', 'hello'])
      assert.equal((await here.pcw(['config', 'check'], { PCW_EVENTS_OUT_URL: bad })).code, 78, bad);
    const shown = await here.pcw(['config', 'show'], { PCW_EVENTS_OUT_URL: 'eventbridge:b', PCW_EVENTS_OUT_SECRET: SECRET });
    assert.match(shown.stdout, /events\.out\.secret.*\*\*\*\*/);
    const hidden = { PCW_EVENTS_OUT_URL: 'env:HOOK', HOOK: `https://hooks.example.com/services/${canary('xoxb-path-77a1')}` };
    for (const verb of [['config', 'show'], ['events', 'status'], ['doctor', 'events', '-o', 'json']]) {
      const told = await here.pcw(verb, hidden);  // the harness looks for the secret in what is printed
      assert.ok(verb[0] === 'doctor' || told.stdout.includes(verb[0] === 'config' ? 'env:HOOK' : 'https://hooks.example.com/****'), verb.join(' ') + told.stdout);
    }
  });
  const port = new URL(hook.url).port;
  await withService({ ...NO_QUOTA, PCW_EVENTS_OUT_URL: `https://127.0.0.1:${port}/hook` }, async ({ here, start }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const service = await start();
    await service.line((line) => /in trouble/.test(line.msg) && /an address that may not be connected to/.test(line.error), 'the refusal');
    assert.equal((await service.stop()).code, 0);
  });
  assert.equal(hook.came.length, 0);
  hook.stop();
});

test('a tenant has its own target, and cannot lead into the private network', async () => {
  await withService(NO_QUOTA, async ({ here }) => {
    const file = path.join(here.dir, 'acme.yaml');
    const create = (out) => {
      writeFileSync(file, `lake: {url: "file://${here.dir}/acme"}\naws: {role_arn: "arn:aws:iam::123456789012:role/acme"}\nevents: {out: {${out}}}\n`);
      return here.pcw(['tenant', 'create', 'acme', '--config', file]);
    };
    const refused = await create('url: "https://10.0.0.1/x", private: true');
    assert.equal(refused.code, 78, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /events\.out\.private belongs into the main configuration/);
    const made = await create('url: "eventbridge:acme"');
    assert.equal(made.code, 0, made.stderr);
    const shown = await here.pcw(['--tenant', 'acme', 'events', 'status', '-o', 'json']);
    assert.equal(JSON.parse(shown.stdout).out.target, 'eventbridge:acme');
  });
});

test('without a target nothing is written, and events in and out work together', async () => {
  await withService(NO_QUOTA, async ({ here }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    assert.equal(here.sql('SELECT count(*) FROM change_outbox'), '0');
  });
  const hook = await receiver();
  await withService(toWebhook(hook, { PCW_EVENTS_URL: `${sim.url}/123456789012/pcw-events`, PCW_EVENTS_WAIT: '1s', PCW_SERVICE_LEASE: '2s', PCW_CONNECTORS_PARTNER_CENTRAL_ENTITIES: 'opportunities' }), async ({ here, start, until }) => {
    assert.equal((await here.pcw(FULL)).code, 0);
    const service = await start();
    await until(PENDING, (n) => n === '0');
    hook.came.length = 0;
    await sim.post('/_sim/events', { enabled: true });
    const changed = (await sim.modify({ count: 4 })).ids;
    await until("SELECT count(*) FROM change_outbox WHERE state = 'delivered' AND type LIKE '%updated'", (n) => n === '4');
    await sim.post('/_sim/events', { enabled: false });
    assert.deepEqual(hook.came.map((one) => one.event.data.id).sort(), changed.sort());
    assert.deepEqual(await differences(here, sim), []);
    assert.equal((await service.stop()).code, 0);
  }, 'events,ingest');
  hook.stop();
});
