// Our signatures against the signer of the AWS SDK for JavaScript, over the project's own requests. The unit tests hold our signer to
// the same file: what both agree on is written down in tests/fixtures/sigv4, input in cases.json, output in expected.json;
// S3 keys and their paths in s3_keys.json. PCW_UPDATE_FIXTURES=1 writes the outputs anew from the SDK; review decides.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('../fixtures/sigv4/', import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8'));
const write = (name, value) => writeFileSync(new URL(name, folder), `${JSON.stringify(value, null, 2)}\n`);
const modules = await Promise.all([import('@smithy/signature-v4'), import('@smithy/protocol-http'), import('@aws-crypto/sha256-js'), import('@aws-sdk/client-s3')]).catch((problem) => problem);
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
  if (process.env.PCW_UPDATE_FIXTURES) write('expected.json', signed);

  assert.deepEqual(signed, read('expected.json'));
});

/** The path that the SDK's S3 client puts on the wire for a key. Nothing is sent. */
async function pathBySdk(key) {
  const [, { HttpResponse }, , { S3Client, HeadObjectCommand }] = modules;
  let path;
  const client = new S3Client({
    region: 'us-east-1', endpoint: 'http://127.0.0.1:1', forcePathStyle: false, credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: { handle: (request) => { path = request.path; return { response: new HttpResponse({ statusCode: 200, headers: {} }) }; } },
  });
  await client.send(new HeadObjectCommand({ Bucket: 'lake', Key: key }));
  return { key, path: path.replace(/^\/lake(?=\/)/, '') };
}

test('the SDK\'s S3 client encodes keys as ours does', { skip }, async () => {
  const paths = [];
  for (const { key } of read('s3_keys.json')) paths.push(await pathBySdk(key));
  if (process.env.PCW_UPDATE_FIXTURES) write('s3_keys.json', paths);

  assert.deepEqual(paths, read('s3_keys.json'));
});
