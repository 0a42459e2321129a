// TLS as a client must use it: a certificate that is not trusted ends the run by name; AWS_CA_BUNDLE makes it trusted.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { once } from 'node:events';
import path from 'node:path';
import { Postgres, Sim, site, scratch, NO_QUOTA } from './harness.mjs';

const SYNC = ['sync', 'run', 'partner-central', 'opportunities'];
const KEY = '-newkey rsa:2048 -nodes -days 2'.split(' ');
let postgres;
let sim;
before(async () => {
  postgres = await Postgres.start();
  sim = await Sim.start(['--opportunities', '20', '--no-quota']);
});
after(async () => {
  await sim.stop();
  await postgres.stop();
});

/** An https server under a self-signed certificate of `name` that hands everything to the simulator. */
async function front(name) {
  const dir = scratch();
  const certificate = path.join(dir, 'cert.pem');
  execFileSync('openssl', ['req', '-x509', ...KEY, '-keyout', path.join(dir, 'key.pem'), '-out', certificate, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`], { stdio: 'pipe' });
  const server = createServer({ key: readFileSync(path.join(dir, 'key.pem')), cert: readFileSync(certificate) }, (incoming, outgoing) => {
    const onward = request(sim.url + incoming.url, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `https://localhost:${server.address().port}`, certificate, stop: () => server.closeAllConnections() ?? server.close() };
}

test('a certificate that nobody vouches for is refused, and AWS_CA_BUNDLE trusts it', async () => {
  const https = await front('localhost');
  try {
    const here = await site(postgres, sim, { ...NO_QUOTA, AWS_ENDPOINT_URL: https.url });

    const refused = await here.pcw(SYNC);
    assert.equal(refused.code, 69, refused.stderr);
    assert.match(refused.stderr, /TLS.*localhost.*AWS_CA_BUNDLE/s);

    const trusted = await here.pcw(SYNC, { AWS_CA_BUNDLE: https.certificate });
    assert.equal(trusted.code, 0, trusted.stderr);
    assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '20');
  } finally {
    https.stop();
  }
});

test('a certificate of another host is refused though its issuer is trusted', async () => {
  const https = await front('elsewhere.example.com');
  try {
    const here = await site(postgres, sim, { ...NO_QUOTA, AWS_ENDPOINT_URL: https.url, AWS_CA_BUNDLE: https.certificate });
    const refused = await here.pcw(SYNC);
    assert.equal(refused.code, 69, refused.stderr);
    assert.match(refused.stderr, /TLS/);
  } finally {
    https.stop();
  }
});
