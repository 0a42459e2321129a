// Our signatures against the signer of the AWS SDK for JavaScript, over the project's own requests. The unit tests hold our signer to
// the same file: what both agree on is written down in tests/fixtures/sigv4, input in cases.json, output in expected.json.
// PCW_UPDATE_FIXTURES=1 writes expected.json anew from the SDK's signer; review decides.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../fixtures/sigv4/', import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const modules = await Promise.all([import('@smithy/signature-v4'), import('@smithy/protocol-http'), import('@aws-crypto/sha256-js')]).catch((problem) => problem);
const skip = modules instanceof Error ? `run npm ci in tests/e2e first: ${modules.message}` : false;

async function signBySdk(request) {
  const [{ SignatureV4 }, { HttpRequest }, { Sha256 }] = modules;
  const signer = new SignatureV4({
    service: request.service, region: request.region, sha256: Sha256, uriEscapePath: !request.s3, applyChecksum: Boolean(request.s3),
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', sessionToken: request.session_token },
  });
  const query = {};
  for (const [key, value] of new URLSearchParams(request.query)) query[key] = key in query ? [query[key], value].flat() : value;
  const signed = await signer.sign(new HttpRequest({ method: request.method, path: request.path, query, headers: request.headers, body: request.body }), { signingDate: new Date(request.time) });
  return { name: request.name, authorization: signed.headers.authorization };
}

test('the SDK\'s signer gives the signatures that our signer is held to', { skip }, async () => {
  const signed = await Promise.all(read('cases.json').map(signBySdk));
  if (process.env.PCW_UPDATE_FIXTURES) writeFileSync(new URL('expected.json', folder), `${JSON.stringify(signed, null, 2)}\n`);

  assert.deepEqual(signed, read('expected.json'));
});
