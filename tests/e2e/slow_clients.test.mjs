// Clients that drip: headers, bodies, and connections that say nothing, more of them than a server with a thread for each could have.
// PCW_SLOW_CLIENTS: how many (500; `scripts/soak clients` has 8,000). PCW_SLOW_SECONDS: how long requests are measured beside them (5).
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { Postgres, Sim, site, NO_QUOTA } from './harness.mjs';
import { Service } from './api_service.mjs';

const CLIENTS = Number(process.env.PCW_SLOW_CLIENTS ?? 500);
const SECONDS = Number(process.env.PCW_SLOW_SECONDS ?? 5);
const DESCRIPTORS = 20_000;
const PER_ADDRESS = 250;  // of a loopback address; server.max_connections_per_address is 256

// Requests one after the other, from a thread of its own so that the dripping is not measured.
const MEASURE = `
  const { workerData, parentPort } = require('node:worker_threads');
  const http = require('node:http');
  const { port, token, seconds } = workerData;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () => new Promise((resolve, reject) => {
    const began = performance.now();
    http.get({ host: '127.0.0.1', port, path: '/v1/connectors', agent, headers: { authorization: 'Bearer ' + token } }, (answer) => {
      answer.resume();
      answer.on('end', () => answer.statusCode === 200 ? resolve(performance.now() - began) : reject(new Error('status ' + answer.statusCode)));
    }).on('error', reject);
  });
  (async () => {
    const times = [];
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) times.push(await ask());
    times.sort((a, b) => a - b);
    const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
    parentPort.postMessage({ requests: times.length, p50: at(0.5), p99: at(0.99), worst: times.at(-1) });
    agent.destroy();
  })();`;

const limit = Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).replace('unlimited', '1e9'));
const skip = CLIENTS > 2_000 && limit < DESCRIPTORS ? `${CLIENTS} clients need ulimit -n of ${DESCRIPTORS}; it is ${limit}` : false;

test(`${CLIENTS} slow clients keep nobody waiting`, { timeout: (SECONDS + 240) * 1000, skip }, async (t) => {
  const postgres = await Postgres.start();
  const sim = await Sim.start(['--opportunities', '4', '--no-quota']);
  const here = await site(postgres, sim, NO_QUOTA);
  const service = await Service.start(here, { PCW_SERVER_MAX_CONNECTIONS_PER_ADDRESS: '256' });
  const auth = `Authorization: Bearer ${service.token}\r\n`;
  const openings = [
    'GET /v1/runs HTTP/1.1\r\nHost: h\r\nX-Drip: ',
    `POST /v1/connectors/partner-central/sync HTTP/1.1\r\nHost: h\r\n${auth}Content-Length: 60000\r\n\r\n{`,
    '',  // says nothing at all
    'G',
  ];
  const status = () => readFileSync(`/proc/${service.process.pid}/status`, 'utf8');
  let is_over = false;
  const clients = new Set();
  let met = 0;
  const open = (index) => new Promise((resolve) => {
    const socket = net.connect({ port: service.port, host: '127.0.0.1', localAddress: `127.0.1.${1 + Math.floor(index / PER_ADDRESS)}` });
    const client = { socket, kind: index % openings.length };
    socket.on('error', () => {});
    socket.on('data', () => {});
    socket.once('connect', () => {
      clients.add(client);
      met += 1;
      if (openings[client.kind]) socket.write(openings[client.kind]);
      resolve();
    });
    socket.once('close', () => {
      resolve();
      clients.delete(client);
      if (!is_over) open(index);  // cut off at its deadline, it comes again
    });
  });
  let drip;
  try {
    for (let index = 0; index < CLIENTS; index += 100) await Promise.all(Array.from({ length: Math.min(100, CLIENTS - index) }, (_, i) => open(index + i)));
    // A byte of each every two seconds, a fortieth of them at a time.
    let turn = 0;
    drip = setInterval(() => {
      turn += 1;
      let i = 0;
      for (const client of clients) if (i++ % 40 === turn % 40 && client.kind !== 2) client.socket.write('x');
    }, 50);
    const probe = new Worker(MEASURE, { eval: true, workerData: { port: service.port, token: service.token, seconds: SECONDS } });
    const [measured] = await Promise.race([once(probe, 'message'), once(probe, 'error').then(([problem]) => { throw problem; })]);
    const held = clients.size;
    const mib = Number(/VmHWM:\s+(\d+)/.exec(status())[1]) / 1024;
    t.diagnostic(JSON.stringify({ clients: held, connections_in_all: met, ...measured, peak_mib: mib }));
    assert.ok(held > CLIENTS * 0.9, `${held} clients are connected`);
    assert.ok(measured.requests > 50, `${measured.requests} requests`);
    // A server that a slow client can hold takes seconds. In a busy test run only that is told apart; the soak has the machine.
    assert.ok(measured.p99 < (CLIENTS > 2_000 ? 50 : 1_000), `p99 ${measured.p99} ms`);
    assert.ok(mib < 128, `${mib} MiB`);
  } finally {
    is_over = true;
    clearInterval(drip);
    for (const client of clients) client.socket.destroy();
    await service.stop();
    await sim.stop();
    await postgres.stop();
  }
});
