// The simulator's S3 as AWS's own clients see it: objects, listings, conditions, checksums, parts, through the JavaScript SDK and the aws command.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Sim, ACCESS_KEY, SECRET_KEY, scratch } from './harness.mjs';

const sdk = await import('@aws-sdk/client-s3').catch((problem) => problem);
const skip = sdk instanceof Error ? `run npm ci in tests/e2e first: ${sdk.message}` : false;
const aws = spawnSync('aws', ['--version'], { encoding: 'utf8' });
const skipAws = aws.status === 0 ? false : `no aws command on PATH: ${aws.error?.message ?? aws.stderr}`;

const BUCKET = 'pcw-lake-dev';
const CREDENTIALS = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
const ODD_KEYS = ['plain', 'with blank', 'plus+sign', 'a//b', 'dots/../up', './here', 'per%41cent', 'quote"&<>\'', 'ünï/日本/😀', "paren(1)*!~$,;:@=", 'trailing/', 'question?mark#hash', 'k'.repeat(1024)];

let sim;
before(async () => { sim = await Sim.start(['--opportunities', '5', '--no-quota']); });
after(async () => { await sim.stop(); });

/** The SDK's client, its own retries off, so that each refusal is seen. */
const client = (options = {}) => new sdk.S3Client({ endpoint: sim.url, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1, forcePathStyle: true, ...options });
const send = (Command, input, options) => client(options).send(new Command({ Bucket: BUCKET, ...input }));
const put = (Key, Body, more = {}) => send(sdk.PutObjectCommand, { Key, Body, ...more });
const bytesOf = async (Key, more = {}) => Buffer.from(await (await send(sdk.GetObjectCommand, { Key, ...more })).Body.transformToByteArray());
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const refusal = (status, name) => (problem) => {
  assert.equal(`${problem.$metadata?.httpStatusCode} ${problem.name}`, `${status} ${name}`, problem.stack);
  return true;
};
const truth = async (bucket = BUCKET) => sim.get(`/_sim/s3?bucket=${bucket}`);
/** A bucket of its own for a test that lists. */
async function newBucket(name) {
  await client().send(new sdk.CreateBucketCommand({ Bucket: name }));
  return name;
}

test('objects with odd keys come back as they went, and are listed in the order of their bytes', { skip }, async () => {
  const Bucket = await newBucket('odd-keys');
  for (const Key of ODD_KEYS) await put(Key, `body of ${Key}`, { Bucket });

  for (const Key of ODD_KEYS) assert.equal((await bytesOf(Key, { Bucket })).toString(), `body of ${Key}`);
  const listed = await send(sdk.ListObjectsV2Command, { Bucket });
  const sorted = ODD_KEYS.slice().sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(listed.Contents.map((entry) => entry.Key), sorted);
  assert.deepEqual((await truth(Bucket)).map((row) => row.key), sorted);
  assert.equal(listed.KeyCount, ODD_KEYS.length);
});

test('virtual-host style reaches the same objects', { skip }, async () => {
  // Not every resolver knows *.localhost.
  const lookup = (name, options, done) => (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4));
  const virtual = client({ endpoint: sim.url.replace('127.0.0.1', 'localhost'), forcePathStyle: false, requestHandler: { httpAgent: new Agent({ lookup }) } });

  await virtual.send(new sdk.PutObjectCommand({ Bucket: BUCKET, Key: 'virtual/../key one', Body: 'v' }));

  assert.equal((await bytesOf('virtual/../key one')).toString(), 'v');
});

test('head tells size, tag, type, metadata and checksum', { skip }, async () => {
  const body = randomBytes(100_000);
  const made = await put('head', body, { ContentType: 'application/x-ndjson', ContentEncoding: 'zstd', Metadata: { run: 'r-1' }, ChecksumAlgorithm: 'SHA256' });

  const head = await send(sdk.HeadObjectCommand, { Key: 'head', ChecksumMode: 'ENABLED' });

  assert.equal(head.ContentLength, body.length);
  assert.equal(head.ETag, `"${createHash('md5').update(body).digest('hex')}"`);
  assert.equal(head.ETag, made.ETag);
  assert.equal(head.ChecksumSHA256, sha256(body).toString('base64'));
  assert.equal(made.ChecksumSHA256, head.ChecksumSHA256);
  assert.equal(head.ChecksumType, 'FULL_OBJECT');
  assert.deepEqual([head.ContentType, head.ContentEncoding, head.Metadata], ['application/x-ndjson', 'zstd', { run: 'r-1' }]);
  await assert.rejects(send(sdk.HeadObjectCommand, { Key: 'absent' }), refusal(404, 'NotFound'));
});

test('ranges are parts of the object', { skip }, async () => {
  await put('ranged', '0123456789');

  assert.equal((await bytesOf('ranged', { Range: 'bytes=2-4' })).toString(), '234');
  assert.equal((await bytesOf('ranged', { Range: 'bytes=7-' })).toString(), '789');
  assert.equal((await bytesOf('ranged', { Range: 'bytes=-2' })).toString(), '89');
  await assert.rejects(bytesOf('ranged', { Range: 'bytes=10-' }), refusal(416, 'InvalidRange'));
});

test('a conditional put makes an object once', { skip }, async () => {
  await put('once', 'first', { IfNoneMatch: '*' });

  await assert.rejects(put('once', 'second', { IfNoneMatch: '*' }), refusal(412, 'PreconditionFailed'));

  assert.equal((await bytesOf('once')).toString(), 'first');
});

test('of many conditional puts at once exactly one succeeds', { skip }, async () => {
  const done = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => put('race', `writer ${i}`, { IfNoneMatch: '*' })));

  const winner = done.findIndex((one) => one.status === 'fulfilled');
  assert.equal(done.filter((one) => one.status === 'fulfilled').length, 1);
  assert.equal((await bytesOf('race')).toString(), `writer ${winner}`);
});

test('wrong checksums of every kind are refused, and nothing is stored', { skip }, async () => {
  const wrong = { ChecksumCRC32: 'AAAAAA==', ChecksumCRC32C: 'AAAAAA==', ChecksumCRC64NVME: 'AAAAAAAAAAA=', ChecksumSHA1: Buffer.alloc(20).toString('base64'), ChecksumSHA256: sha256('other').toString('base64'), ContentMD5: createHash('md5').update('other').digest('base64') };
  for (const [name, value] of Object.entries(wrong)) await assert.rejects(put('bad', 'body', { [name]: value }), refusal(400, 'BadDigest'), name);
  await assert.rejects(put('bad', 'body', { ChecksumSHA256: 'AAAA' }), refusal(400, 'InvalidRequest'));

  await assert.rejects(bytesOf('bad'), refusal(404, 'NoSuchKey'));
});

test('every algorithm of the SDK is understood', { skip }, async () => {
  for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256']) {
    await put(`by/${ChecksumAlgorithm}`, 'body', { ChecksumAlgorithm });
    const got = await send(sdk.GetObjectCommand, { Key: `by/${ChecksumAlgorithm}`, ChecksumMode: 'ENABLED' });
    assert.ok(got[`Checksum${ChecksumAlgorithm}`], ChecksumAlgorithm);
    assert.equal(await got.Body.transformToString(), 'body');  // the SDK compares the checksum here
  }
});

test('an upload in parts is one object with a tag and a checksum of its parts', { skip }, async () => {
  const body = randomBytes(11 << 20);
  const cuts = [0, 5 << 20, 10 << 20, body.length];
  const { UploadId } = await send(sdk.CreateMultipartUploadCommand, { Key: 'parts', ChecksumAlgorithm: 'SHA256' });
  const Parts = [];
  for (let PartNumber = 1; PartNumber <= 3; ++PartNumber) {
    const Body = body.subarray(cuts[PartNumber - 1], cuts[PartNumber]);
    const { ETag, ChecksumSHA256 } = await send(sdk.UploadPartCommand, { Key: 'parts', UploadId, PartNumber, Body, ChecksumAlgorithm: 'SHA256' });
    Parts.push({ PartNumber, ETag, ChecksumSHA256 });
  }
  const listed = await send(sdk.ListPartsCommand, { Key: 'parts', UploadId, MaxParts: 2 });
  const uploads = await send(sdk.ListMultipartUploadsCommand, { Prefix: 'parts' });
  const done = await send(sdk.CompleteMultipartUploadCommand, { Key: 'parts', UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' });

  const digest = (algorithm) => createHash(algorithm).update(Buffer.concat(cuts.slice(1).map((end, i) => createHash(algorithm).update(body.subarray(cuts[i], end)).digest()))).digest();
  assert.equal(done.ETag, `"${digest('md5').toString('hex')}-3"`);
  assert.equal(done.ChecksumSHA256, `${digest('sha256').toString('base64')}-3`);
  assert.deepEqual(listed.Parts.map((part) => [part.PartNumber, part.Size]), [[1, 5 << 20], [2, 5 << 20]]);
  assert.equal(listed.IsTruncated, true);
  assert.deepEqual(uploads.Uploads.map((upload) => [upload.Key, upload.UploadId]), [['parts', UploadId]]);
  assert.deepEqual(sha256(await bytesOf('parts')), sha256(body));
  await assert.rejects(send(sdk.CompleteMultipartUploadCommand, { Key: 'parts', UploadId, MultipartUpload: { Parts } }), refusal(404, 'NoSuchUpload'));
});

test('small parts, unknown parts and unknown uploads are refused', { skip }, async () => {
  const { UploadId } = await send(sdk.CreateMultipartUploadCommand, { Key: 'small' });
  const one = await send(sdk.UploadPartCommand, { Key: 'small', UploadId, PartNumber: 1, Body: 'small' });
  const two = await send(sdk.UploadPartCommand, { Key: 'small', UploadId, PartNumber: 2, Body: 'small' });
  const complete = (Parts, more = {}) => send(sdk.CompleteMultipartUploadCommand, { Key: 'small', UploadId, MultipartUpload: { Parts }, ...more });

  await assert.rejects(complete([{ PartNumber: 1, ETag: one.ETag }, { PartNumber: 2, ETag: two.ETag }]), refusal(400, 'EntityTooSmall'));
  await assert.rejects(complete([{ PartNumber: 2, ETag: two.ETag }, { PartNumber: 1, ETag: one.ETag }]), refusal(400, 'InvalidPartOrder'));
  await assert.rejects(complete([{ PartNumber: 3, ETag: two.ETag }]), refusal(400, 'InvalidPart'));
  await assert.rejects(complete([{ PartNumber: 1, ETag: one.ETag }], { UploadId: 'nobody' }), refusal(404, 'NoSuchUpload'));
  await send(sdk.AbortMultipartUploadCommand, { Key: 'small', UploadId });
  await assert.rejects(complete([{ PartNumber: 1, ETag: one.ETag }]), refusal(404, 'NoSuchUpload'));
});

test('listings page, group and go on where they stopped', { skip }, async () => {
  const Bucket = await newBucket('listing');
  for (const Key of ['a', 'b/1', 'b/2', 'b/3', 'c d/1', 'e', 'f/g/h', 'z']) await put(Key, Key, { Bucket });

  const pages = [];
  for await (const page of sdk.paginateListObjectsV2({ client: client() }, { Bucket, MaxKeys: 2, Delimiter: '/' })) pages.push(page);
  const found = pages.flatMap((page) => [...(page.Contents ?? []).map((entry) => entry.Key), ...(page.CommonPrefixes ?? []).map((entry) => entry.Prefix)]);
  const inside = await send(sdk.ListObjectsV2Command, { Bucket, Prefix: 'b/', StartAfter: 'b/1' });
  const encoded = await send(sdk.ListObjectsV2Command, { Bucket, Prefix: 'c d', EncodingType: 'url' });

  assert.deepEqual(pages.map((page) => [page.KeyCount, page.IsTruncated]), [[2, true], [2, true], [2, false]]);
  assert.deepEqual(found.sort(), ['a', 'b/', 'c d/', 'e', 'f/', 'z']);
  assert.deepEqual(inside.Contents.map((entry) => [entry.Key, entry.Size]), [['b/2', 3], ['b/3', 3]]);
  assert.equal(encoded.Contents[0].Key, 'c+d/1');
  await assert.rejects(send(sdk.ListObjectsV2Command, { Bucket, ContinuationToken: 'made up' }), refusal(400, 'InvalidArgument'));
});

test('KMS encryption is echoed, and the tag is then no MD5', { skip }, async () => {
  const SSEKMSKeyId = 'arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const made = await put('sealed', 'body', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId });

  const head = await send(sdk.HeadObjectCommand, { Key: 'sealed' });

  for (const answer of [made, head]) assert.deepEqual([answer.ServerSideEncryption, answer.SSEKMSKeyId], ['aws:kms', SSEKMSKeyId]);
  assert.match(head.ETag, /^"[0-9a-f]{32}"$/);
  assert.notEqual(head.ETag, `"${createHash('md5').update('body').digest('hex')}"`);
  assert.equal((await truth()).find((row) => row.key === 'sealed').encryption, 'aws:kms');
  await assert.rejects(put('sealed', 'x', { ServerSideEncryption: 'rot13' }), refusal(400, 'InvalidArgument'));
});

test('keys, buckets and owners are checked', { skip }, async () => {
  await assert.rejects(put('x', 'x', { Bucket: 'not-there' }), refusal(404, 'NoSuchBucket'));
  await assert.rejects(put('x', 'x', { ExpectedBucketOwner: '210987654321' }), refusal(403, 'AccessDenied'));
  await put('x', 'x', { ExpectedBucketOwner: '123456789012' });
  await assert.rejects(send(sdk.GetObjectCommand, { Key: 'x' }, { credentials: { ...CREDENTIALS, secretAccessKey: 'wrong' } }), refusal(403, 'SignatureDoesNotMatch'));
  await assert.rejects(send(sdk.GetObjectCommand, { Key: 'x' }, { credentials: { ...CREDENTIALS, accessKeyId: 'AKIA0000000000000000' } }), refusal(403, 'InvalidAccessKeyId'));
  await assert.rejects(send(sdk.GetObjectCommand, { Key: 'x' }, { region: 'eu-west-1' }), refusal(400, 'AuthorizationHeaderMalformed'));
  await assert.rejects(send(sdk.GetObjectCommand, { Key: 'x' }, { systemClockOffset: -16 * 60_000 }), refusal(403, 'RequestTimeTooSkewed'));
  assert.equal((await fetch(`${sim.url}/${BUCKET}/x`)).status, 403);
  await send(sdk.HeadBucketCommand, {});
});

test('a lost answer leaves the object there, a refused one does not', { skip }, async () => {
  await sim.faults([
    { operation: 'PutObject', identifier: 'lost', kind: 'lost_answer', limit: 1 },
    { operation: 'PutObject', identifier: 'slow', kind: 'throttle' },
    { operation: 'PutObject', identifier: 'conflict', kind: 's3_conflict' },
  ]);
  try {
    await assert.rejects(put('lost', 'mine', { IfNoneMatch: '*' }));
    await assert.rejects(put('lost', 'mine', { IfNoneMatch: '*' }), refusal(412, 'PreconditionFailed'));
    await assert.rejects(put('slow', 'x'), refusal(503, 'SlowDown'));
    await assert.rejects(put('conflict', 'x'), refusal(409, 'ConditionalRequestConflict'));
  } finally {
    await sim.faults([]);
  }
  assert.equal((await bytesOf('lost')).toString(), 'mine');
  const keys = (await truth()).map((row) => row.key);
  assert.ok(!keys.includes('slow') && !keys.includes('conflict'));
});

test('the ledger counts S3 calls, apart from those of Partner Central', { skip }, async () => {
  await sim.resetCalls();
  await put('counted', 'x');
  await fetch(`${sim.url}/${BUCKET}/counted`, { method: 'HEAD' });

  const stats = await sim.stats();
  const calls = await sim.calls();

  assert.equal(stats.operations.PutObject.ok, 1);
  assert.equal(stats.operations.HeadObject.unauthenticated, 1);
  assert.equal(stats.max_arrivals_per_second, 0);
  assert.equal(stats.unsigned_payloads, 0);
  assert.deepEqual(calls.map((call) => [call.operation, call.status]), [['PutObject', 200], ['HeadObject', 403]]);
});

test('a bucket that vanished is told as NoSuchBucket', { skip }, async () => {
  const Bucket = await newBucket('vanishing');
  await put('x', 'x', { Bucket });

  await sim.post(`/_sim/s3/delete-bucket?bucket=${Bucket}`);

  await assert.rejects(put('x', 'x', { Bucket }), refusal(404, 'NoSuchBucket'));
  await assert.rejects(send(sdk.HeadBucketCommand, { Bucket }), refusal(404, 'NotFound'));
});

test('the aws command copies and lists', { skip: skipAws }, async () => {
  const dir = scratch();
  const env = { PATH: process.env.PATH, HOME: dir, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY, AWS_PAGER: '', AWS_MAX_ATTEMPTS: '1' };
  // Debian 12's aws does not know AWS_ENDPOINT_URL.
  const s3 = (...args) => promisify(execFile)('aws', ['--endpoint-url', sim.url, 's3', ...args], { env, cwd: dir });
  const small = randomBytes(1_000);
  const large = randomBytes(11 << 20);
  mkdirSync(path.join(dir, 'out'));
  writeFileSync(path.join(dir, 'small'), small);
  writeFileSync(path.join(dir, 'large'), large);

  await s3('mb', 's3://from-aws');
  await s3('cp', 'small', 's3://from-aws/dir/with blank+plus');
  await s3('cp', 'large', 's3://from-aws/dir/large');  // above 8 MiB: in parts
  const listed = await s3('ls', '--recursive', 's3://from-aws/');
  const top = await s3('ls', 's3://from-aws/');
  await s3('cp', 's3://from-aws/dir/with blank+plus', 'out/small');
  await s3('cp', 's3://from-aws/dir/large', 'out/large');  // in ranges
  const buckets = await s3('ls');

  assert.deepEqual(listed.stdout.trim().split('\n').map((line) => line.replace(/^\S+ \S+ +/, '')), [`${11 << 20} dir/large`, '1000 dir/with blank+plus']);
  assert.equal(top.stdout.trim(), 'PRE dir/');
  assert.match(buckets.stdout, /from-aws/);
  assert.ok(readFileSync(path.join(dir, 'out/small')).equals(small));
  assert.ok(readFileSync(path.join(dir, 'out/large')).equals(large));
});
