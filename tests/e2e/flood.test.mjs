// A flood of requests without a right token: who has one, and who looks at the health, does not notice; the log stays short.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { Postgres, Sim, site, differences, brokenRuns, NO_QUOTA } from './harness.mjs';
import { Service, makeToken } from './api_service.mjs';

let postgres, sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '5', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

const LIMITED = { PCW_SERVER_REQUESTS_PER_SECOND: '10' };

/** A token of the right form that nobody has made. */
function madeUp(id = randomBytes(8).toString('hex')) {
  const body = `pcw_${id}_${randomBytes(32).toString('hex')}`;
  return `${body}_${createHash('sha256').update(body).digest('hex').slice(0, 8)}`;
}

test('a right token, health and metrics pass beside floods without a token, with made-up ones, and with guesses at its own', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  const service = await Service.start(here, LIMITED);
  try {
    const first_use = await makeToken(here, 'unseen', ['runs:read']);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const flood = async (count, token) => (await Promise.all(Array.from({ length: count }, () => service.get('/v1/runs', { agent, token: token() })))).map((answer) => answer.status);
    const own = service.token.split('_')[1];
    for (const [what, token] of [['no token', () => ''], ['no form', () => 'x'], ['made up', madeUp], ['guesses', () => madeUp(own)]]) {
      const statuses = await flood(300, token);
      assert.ok(statuses.every((status) => status === 401 || status === 429), `${what}: ${[...new Set(statuses)]}`);
      assert.ok(statuses.includes(429), `${what} is limited`);
      for (const route of ['/healthz', '/readyz', '/metrics']) assert.notEqual((await service.get(route, { token: '' })).status, 429, `${route} beside ${what}`);
      assert.equal((await service.get('/v1/runs')).status, 200, `beside ${what}`);
    }
    // Its first use in this process: it is known that there is such a token.
    let answer;
    const give_up = Date.now() + 5_000;
    do {
      await flood(30, madeUp);
      answer = await service.get('/v1/runs', { token: first_use });
    } while (answer.status === 429 && Date.now() < give_up);
    assert.equal(answer.status, 200);
    const lines = service.lines().filter((line) => line.msg === 'request' && !line.token);
    assert.ok(lines.length <= 3, `${lines.length} lines of one address: ${JSON.stringify(lines.slice(0, 4))}`);
    assert.equal(lines[0].client, '127.0.0.1');
    agent.destroy();
  } finally {
    assert.equal(await service.stop(), 0);
  }
});

test('behind a trusted proxy the rightmost address outside it is the client, and what it writes itself counts for nothing', async () => {
  const service = await Service.start(await site(postgres, sim, NO_QUOTA), { ...LIMITED, PCW_SERVER_TRUSTED_PROXIES: '127.0.0.1/32, 10.0.0.0/8' });
  try {
    const ask = async (forwarded, from) => (await service.get('/v1/runs', { token: '', from, headers: { 'x-forwarded-for': forwarded } })).status;
    const statuses = [];
    for (let i = 0; i < 40; ++i) statuses.push(await ask(`198.51.100.${i}, 203.0.113.7, 10.1.2.3`));
    assert.ok(statuses.includes(429), 'another address at the left is no other client');
    assert.equal(await ask('203.0.113.8'), 401, 'another client has its own');
    assert.equal(await ask('203.0.113.7', '127.0.0.2'), 401, 'who is not a trusted proxy speaks for itself alone');
  } finally {
    assert.equal(await service.stop(), 0);
  }
});

test('a connection over the limit is told so, and event streams whose clients left make room', async () => {
  const here = await site(postgres, sim, NO_QUOTA);
  const service = await Service.start(here, { PCW_SERVER_MAX_CONNECTIONS_PER_ADDRESS: '3' });
  try {
    const run = (await service.trigger({ entity: 'opportunities' }, { headers: { connection: 'close' } })).json;
    const open = async () => {
      const socket = net.connect(service.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`GET /v1/runs/${run.id}/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${service.token}\r\n\r\n`);
      const [chunk] = await once(socket, 'data');
      return { socket, head: String(chunk) };
    };
    const streams = [await open(), await open(), await open()];
    assert.ok(streams.every(({ head }) => head.startsWith('HTTP/1.1 200')));
    assert.match(await service.raw('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n'), /^HTTP\/1\.1 503 .*\r\n[^]*"code":"busy"/);
    for (const { socket } of streams) socket.destroy();
    const give_up = Date.now() + 5_000;
    let status;
    do status = (await service.get('/healthz').catch(() => ({}))).status; while (status !== 200 && Date.now() < give_up);
    assert.equal(status, 200);
  } finally {
    assert.equal(await service.stop(), 0);
  }
});

// PCW_FLOOD_SECONDS: how long; scripts/soak flood takes 20 minutes. At AWS's quota of ten calls a second the run is about as long as the flood.
test('a flood beside a run: nothing is lost, health is answered, the log stays short', async (t) => {
  const seconds = Number(process.env.PCW_FLOOD_SECONDS ?? 6);
  const aws = await Sim.start(['--opportunities', String(seconds * 7)]);
  try {
    const here = await site(postgres, aws);
    const service = await Service.start(here, { PCW_SERVER_REQUESTS_PER_SECOND: '50', PCW_QUOTA_READS_PER_SECOND: '10' }, 'api,ingest');
    try {
      const run = (await service.trigger({ entity: 'opportunities', mode: 'full' })).json;
      const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
      const counts = {};
      const until = Date.now() + seconds * 1000;
      const attacker = async (token) => {
        while (Date.now() < until) {
          const status = await service.get('/v1/runs', { agent, token: token() }).then((answer) => answer.status, () => 'reset');
          counts[status] = (counts[status] ?? 0) + 1;
        }
      };
      const attackers = Array.from({ length: 20 }, (_, i) => attacker([() => '', () => 'x', madeUp, () => madeUp(service.token.split('_')[1])][i % 4]));
      const waits = [];
      const watcher = (async () => {
        while (Date.now() < until) {
          for (const [route, token] of [['/healthz', ''], ['/readyz', ''], ['/metrics', ''], [`/v1/runs/${run.id}`, service.token]]) {
            const began = performance.now();
            const answer = await service.get(route, { token });
            waits.push(performance.now() - began);
            assert.equal(answer.status, 200, `${route} in the flood`);
          }
        }
      })();
      await Promise.all([...attackers, watcher]);
      agent.destroy();
      let ended;
      const give_up = Date.now() + 120_000 + seconds * 1000;  // a machine that does other work too has less than ten calls a second
      do ended = (await service.get(`/v1/runs/${run.id}`)).json; while (['queued', 'running'].includes(ended.status) && Date.now() < give_up);
      assert.equal(ended.status, 'succeeded', JSON.stringify(ended));
      assert.deepEqual(await differences(here, aws), []);
      assert.equal(brokenRuns(here), '');
      assert.deepEqual(Object.keys(counts).filter((status) => !['401', '429'].includes(status)), [], JSON.stringify(counts));
      const told = service.lines().filter((line) => line.msg === 'request' && !line.token).length;
      assert.ok(told <= 2 * Math.ceil(seconds / 60) + 2, `${told} lines of one address`);
      waits.sort((a, b) => a - b);
      const bytes = Buffer.byteLength(service.out) + Buffer.byteLength(service.err);
      // Beside what the run and the watcher's own requests say.
      assert.ok(bytes < 300_000 + 800 * waits.length, `${bytes} bytes of log`);
      t.diagnostic(`${seconds} s: ${JSON.stringify(counts)} of the flood; ${waits.length} of health and token, p50 ${waits[waits.length >> 1].toFixed(1)} ms, slowest ${waits.at(-1).toFixed(0)} ms; ${bytes} bytes of log; ${ended.stats.records_processed} records`);
    } finally {
      assert.equal(await service.stop(), 0);
    }
  } finally {
    await aws.stop();
  }
});
