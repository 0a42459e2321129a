// The REST listener over raw sockets: the probes that other servers failed, and every limit at its last byte and one beyond.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { Postgres, Sim, site, NO_QUOTA } from './harness.mjs';
import { Service } from './api_service.mjs';

let postgres, sim, here, service, auth;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '4', '--no-quota']);
  here = await site(postgres, sim, NO_QUOTA);
  service = await Service.start(here);
  auth = `Authorization: Bearer ${service.token}\r\n`;
});
after(async () => {
  await service.stop();
  await sim.stop();
  await postgres.stop();
});

const get = (target, more = '', version = '1.1') => `GET ${target} HTTP/${version}\r\nHost: h\r\n${auth}${more}\r\n`;
const post = (more, body = '', version = '1.1') => `POST /v1/connectors/partner-central/sync HTTP/${version}\r\nHost: h\r\n${auth}${more}\r\n${body}`;
const closing = 'Connection: close\r\n';

const rows = () => [
  // Framing: two readers of one request must never disagree on where it ends.
  ['CL and TE', post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
  ['TE and CL', post('Transfer-Encoding: chunked\r\nContent-Length: 2\r\n', '0\r\n\r\n'), 400],
  ['two different CL', post('Content-Length: 2\r\nContent-Length: 3\r\n', '{} '), 400],
  ['two equal CL', post('Content-Length: 2\r\nContent-Length: 2\r\n', '{}'), 400],
  ['CL "3, 5"', post('Content-Length: 3, 5\r\n', '{}   '), 400],
  ['CL "2, 2"', post('Content-Length: 2, 2\r\n', '{}'), 400],
  ['CL +2', post('Content-Length: +2\r\n', '{}'), 400],
  ['CL 2x', post('Content-Length: 2x\r\n', '{}'), 400],
  ['CL 0x2', post('Content-Length: 0x2\r\n', '{}'), 400],
  ['CL empty', post('Content-Length: \r\n', '{}'), 400],
  ['CL negative', post('Content-Length: -1\r\n'), 400],
  ['CL 2^70', post('Content-Length: 1180591620717411303424\r\n'), 400],
  ['CL 10 GB', post('Content-Length: 10000000000\r\n'), 413],
  ['TE chunked', post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n'), 411],
  ['TE xchunked', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 411],
  ['TE chunked, identity', post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'), 411],
  ['TE identity', post('Transfer-Encoding: identity\r\n', '{}'), 411],
  ['two TE', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
  ['TE chunked in HTTP/1.0', post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n', '1.0'), 411],
  ['chunk size 0x3', post('Transfer-Encoding: chunked\r\n', '0x3\r\nabc\r\n0\r\n\r\n'), 411],
  ['chunk size -2', post('Transfer-Encoding: chunked\r\n', '-2\r\nabc\r\n0\r\n\r\n'), 411],
  ['chunk size of 17 digits', post('Transfer-Encoding: chunked\r\n', '10000000000000003\r\nabc\r\n0\r\n\r\n'), 411],
  ['bare LF in a chunk extension', post('Transfer-Encoding: chunked\r\n', '3;a\nb\r\nabc\r\n0\r\n\r\n'), 411],
  ['trailers', post('Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n', `0\r\n${auth}\r\n`), 411],
  ['a Trailer header', post('Trailer: Authorization\r\nContent-Length: 2\r\n', '{}'), 400],
  ['bare LF between headers', `GET /v1/runs HTTP/1.1\r\nHost: h\n${auth}\r\n`, 400],
  // The line feed ends up in the version.
  ['bare LF everywhere', `GET /v1/runs HTTP/1.1\nHost: h\n\n`, 505],
  ['space before the colon of CL', post('Content-Length : 2\r\n', '{}'), 400],
  ['space before the colon of Host', 'GET /v1/runs HTTP/1.1\r\nHost : h\r\n\r\n', 400],
  ['a folded header', get('/v1/runs', 'X: a\r\n b\r\n') + '', 200, closing],
  ['NUL in a header', get('/v1/runs', 'X: a\0b\r\n'), 400],
  ['CR in a header', get('/v1/runs', 'X: a\rb\r\n'), 400],
  ['GET with a body', get('/v1/runs', 'Content-Length: 2\r\n') + '{}', 400],
  // Hosts, targets, verbs.
  ['no Host', `GET /v1/runs HTTP/1.1\r\n${auth}\r\n`, 400],
  ['two Hosts', get('/v1/runs', 'Host: other\r\n'), 400],
  ['absolute target', get('http://h/v1/runs'), 400],
  ['target *', get('*'), 400],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['CONNECT', 'CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n', 400],
  ['//v1/runs', get('//v1/runs', closing), 404],
  ['/v1/../v1/runs', get('/v1/../v1/runs', closing), 404],
  ['/v1/%2e%2e/runs', get('/v1/%2e%2e/runs', closing), 404],
  ['/v1/runs%00', get('/v1/runs%00', closing), 404],
  ['a byte over 0x7f in the target', get('/v1/r\xe4ns'), 400],
  ['a tab in the target', get('/v1/r\tns'), 400],
  ['a target of 9 KB', get(`/v1/runs?x=${'y'.repeat(9_000)}`), 414],
  ['unknown verb', 'FETCH /v1/runs HTTP/1.1\r\nHost: h\r\n\r\n', 501],
  ['a verb without a route', `DELETE /v1/runs HTTP/1.1\r\nHost: h\r\n${auth}${closing}\r\n`, 405],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['HTTP/0.9', 'GET /v1/runs\r\n\r\n', 400],
  ['TLS on the plain port', '\x16\x03\x01\x02\x00\r\n\r\n', 400],
  ['Upgrade', post('Upgrade: h2c\r\nContent-Length: 2\r\n', '{}'), 400],
  ['an expectation of another kind', post('Expect: nonsense\r\nContent-Length: 2\r\n'), 417],
  // What may stand once, and what a header may hold.
  ['two Authorizations', get('/v1/runs', auth), 400],
  ['two Content-Types', post('Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n', '{}'), 400],
  ['two Idempotency-Keys', post('Idempotency-Key: a\r\nIdempotency-Key: a\r\nContent-Length: 2\r\n', '{}'), 400],
  ['an Authorization of 10 KB', `GET /v1/runs HTTP/1.1\r\nHost: h\r\nAuthorization: ${'z'.repeat(10_000)}\r\n\r\n`, 431],
  ['an Authorization of other letters', `GET /v1/runs HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \xe4\xf6\xfc\r\n${closing}\r\n`, 401],
  ['a header of 9 KB', get('/v1/runs', `X: ${'y'.repeat(9_000)}\r\n`), 431],
  ['nonsense of 9 KB', 'x'.repeat(9_000), 431],
];

test('what is not good HTTP is refused, and the connection ends', async () => {
  for (const [name, bytes, status, more = ''] of rows()) {
    const answer = await service.raw(more ? bytes.replace(/\r\n\r\n$/, `\r\n${more}\r\n`) : bytes);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), `${name}\n${answer.slice(0, 300)}`);
    assert.equal(answer.match(/HTTP\/1\.1 \d{3} /g).length, 1, `${name}: one request, one answer`);
    const [head, body] = answer.split('\r\n\r\n');
    assert.match(head, /\r\nConnection: close/, name);
    if (status < 400) continue;
    assert.equal(JSON.parse(body).status, status, name);
    assert.match(head, /\r\nContent-Type: application\/problem\+json/, name);
    if (status === 405) assert.match(head, /\r\nAllow: GET, HEAD/);
  }
  assert.equal(here.sql('SELECT count(*) FROM ingestion_runs'), '0', 'nothing of it had an effect');
});

test('escapes in a header stay letters: no answer is split', async () => {
  const answer = await service.raw(get('/healthz', `X-Request-Id: a%0d%0aSet-Cookie: b\r\nOrigin: x%0d%0aX-Evil: 1\r\n${closing}`));
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(answer, /Set-Cookie|X-Evil/);
});

test('limits hold at their last byte and refuse the next', async () => {
  // The header block: 8 KiB with its empty line.
  const fields = `Host: h\r\n${auth}${closing}`;
  const padded = (bytes) => `GET /v1/runs HTTP/1.1\r\n${fields}X: ${'y'.repeat(bytes - fields.length - 'X: \r\n\r\n'.length)}\r\n\r\n`;
  assert.match(await service.raw(padded(8_192)), /^HTTP\/1\.1 200 /);
  assert.match(await service.raw(padded(8_193)), /^HTTP\/1\.1 431 /);
  // The request line likewise.
  const line = (bytes) => `GET /v1/runs?${'y'.repeat(bytes - 'GET /v1/runs? HTTP/1.1\r\n'.length)} HTTP/1.1\r\n${fields}\r\n`;
  assert.match(await service.raw(line(8_192)), /^HTTP\/1\.1 400 /, 'long enough to be read, and no parameter of this route');
  assert.match(await service.raw(line(8_200)), /^HTTP\/1\.1 414 /);
  // The body: 64 KiB.
  const body = (bytes) => `{"entity":"leads"${' '.repeat(bytes - '{"entity":"leads"}'.length)}}`;
  assert.match(await service.raw(post(`${closing}Content-Length: 65536\r\n`, body(65_536))), /^HTTP\/1\.1 202 /);
  assert.match(await service.raw(post('Content-Length: 65537\r\n', body(65_537))), /^HTTP\/1\.1 413 /);
  // A hundred requests of one connection, and the last says so.
  const answer = await service.raw('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(101));
  assert.equal(answer.split('HTTP/1.1 200').length - 1, 100);
  assert.equal(answer.split('Connection: close').length - 1, 1);
  const head = await service.raw(`HEAD /healthz HTTP/1.1\r\nHost: h\r\n${closing}\r\n`);
  assert.match(head, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/);
});

test('what the head tells is answered before the body comes', async () => {
  for (const [bytes, status] of [
    [`POST /v1/connectors/partner-central/sync HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n`, 401],
    [post('Content-Length: 60000\r\nContent-Type: text/plain\r\n'), 415],
    [post('Content-Length: 60000\r\nContent-Encoding: gzip\r\n'), 415],
    [post('Content-Length: 65537\r\n'), 413],
    ['POST /v1/nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n', 404],
  ]) assert.match(await service.raw(bytes), new RegExp(`^HTTP/1\\.1 ${status} `), bytes);
  const socket = net.connect(service.port, '127.0.0.1');
  socket.setEncoding('latin1');
  socket.write(post(`Expect: 100-continue\r\n${closing}Content-Length: 18\r\n`));
  const [first] = await once(socket, 'data');
  assert.equal(first, 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.end('{"entity":"leads"}');
  const [second] = await once(socket, 'data');
  assert.match(second, /^HTTP\/1\.1 202 /);
});

test('a refusal reaches a client that goes on sending', async () => {
  for (let round = 0; round < 20; ++round) {
    const socket = net.connect(service.port, '127.0.0.1');
    socket.setEncoding('latin1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    socket.write(post('Content-Length: 65537\r\n'));
    for (let piece = 0; piece < 8; ++piece) socket.write('x'.repeat(4_096));
    socket.end();
    await once(socket, 'close');
    assert.match(text, /^HTTP\/1\.1 413 [\s\S]*body_too_large/, `round ${round}`);
  }
});

/** Resident memory of the service now, in MiB. */
const memory = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${service.process.pid}/status`, 'utf8'))[1]) / 1024;

/** Sends `head`, then pieces of `piece` up to `most` bytes or until the server has enough; what it answered, and how much it was sent. */
function flood(head, piece, most) {
  return new Promise((resolve) => {
    const socket = net.connect(service.port, '127.0.0.1');
    socket.setEncoding('latin1');
    let text = '', sent = 0;
    socket.on('data', (chunk) => (text += chunk));
    socket.on('error', () => {});  // a reset is an answer as well
    socket.on('close', () => resolve({ text, sent }));
    const pour = () => {
      while (!socket.destroyed && sent < most) {
        sent += piece.length;
        if (!socket.write(piece, 'latin1')) return socket.once('drain', pour);
      }
      socket.end();
    };
    socket.write(head, 'latin1', pour);
  });
}

test('hundreds of megabytes meet a closed door, and memory stays', { timeout: 120_000 }, async () => {
  await service.get('/v1/connectors');
  const before = memory();
  const MEGABYTE = 'x'.repeat(1 << 20);
  const bomb = gzipSync(Buffer.alloc(300_000_000), { level: 1 }).subarray(0, 60_000).toString('latin1');
  for (const [name, head, piece, status] of [
    ['a header line of 300 MB', 'GET /v1/runs HTTP/1.1\r\nHost: h\r\nX: ', MEGABYTE, 431],
    ['a target of 300 MB', 'GET /v1/runs?', MEGABYTE, 414],
    ['a chunked body of 300 MB', post('Transfer-Encoding: chunked\r\n', '100000\r\n'), `${MEGABYTE}\r\n100000\r\n`, 411],
    ['a chunk extension of 200 MB', post('Transfer-Encoding: chunked\r\n', '3;'), MEGABYTE, 411],
    ['a body of 300 MB', post('Content-Length: 300000000\r\n'), MEGABYTE, 413],
    ['a packed body', post(`Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n`), bomb, 415],
  ]) {
    const { text, sent } = await flood(head, piece, name === 'a packed body' ? bomb.length : 300_000_000);
    // The answer may be lost in a reset when the client does not stop; that it was refused shows in how little was taken.
    if (text) assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), name);
    assert.ok(sent < 50_000_000, `${name}: ${sent} bytes were taken`);
  }
  assert.ok(memory() - before < 16, `grew from ${before} to ${memory()} MiB`);
});

test('a header that drips ends after its ten seconds, an answer after', { timeout: 60_000 }, async () => {
  const socket = net.connect(service.port, '127.0.0.1');
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk) => (text += chunk));
  const began = performance.now();
  socket.write('GET /v1/runs HTTP/1.1\r\nX: ');
  const drip = setInterval(() => socket.write('y'), 500);
  await once(socket, 'close');
  clearInterval(drip);
  const took = performance.now() - began;
  assert.match(text, /^HTTP\/1\.1 408 /);
  assert.ok(took >= 9_900 && took < 20_000, `${took} ms`);
});
