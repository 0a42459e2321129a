// The lake in the simulator's S3, which is as strict as AWS: conditional writes, checksums, owners, and what goes wrong on the way (T11).
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Postgres, Sim, site, differences, brokenRuns, NO_QUOTA } from './harness.mjs';

const sdk = await import('@aws-sdk/client-s3').catch((problem) => problem);
const skip = sdk instanceof Error && `without the AWS SDK (npm install in tests/e2e): ${sdk.message}`;

const SYNC = ['sync', 'run', 'partner-central', 'opportunities', '--mode', 'full'];
const SMALL = { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '10' };
const LARGE = { ...NO_QUOTA, PCW_LAKE_MULTIPART_THRESHOLD: '5242880', PCW_SYNC_PART_RECORDS: '10000', PCW_SYNC_PART_BYTES: '5600000', PCW_SYNC_PART_AGE: '10m' };

let postgres;
let small;
let large;

before(async () => {
  postgres = await Postgres.start();
  small = await Sim.start(['--opportunities', '120', '--seed', '5', '--no-quota']);
  large = await Sim.start(['--opportunities', '1600', '--seed', '5', '--no-quota']);
});
after(async () => {
  await small.stop();
  await large.stop();
  await postgres.stop();
});

let serial = 0;
const inS3 = async (sim, settings, url = `s3://pcw-lake-dev/t${++serial}`) => ({ ...(await site(postgres, sim, { ...settings, PCW_LAKE_URL: url })), prefix: url.replace('s3://pcw-lake-dev/', '') });

function expectCode(result, code) {
  assert.equal(result.code, code, `exit ${result.code} instead of ${code}\n${result.stdout}\n${result.stderr}`);
}

/** The bucket's objects below the lake's prefix, as the simulator holds them. */
const objects = async (sim, here) => (await sim.get('/_sim/s3?bucket=pcw-lake-dev')).filter(({ key }) => key.startsWith(`${here.prefix}/`));

async function expectWhole(sim, here) {
  assert.deepEqual(await differences(here, sim), []);
  assert.equal(brokenRuns(here), '');
  const verified = await here.pcw(['bronze', 'verify']);
  expectCode(verified, 0);
}

test('every object has the checksum that was sent with it, and no body went unsigned', async () => {
  const here = await inS3(small, SMALL);
  expectCode(await here.pcw(SYNC), 0);

  await expectWhole(small, here);
  const held = await objects(small, here);
  assert.equal(held.length, 13, '12 parts and a manifest');
  for (const { key, sha256, checksum } of held) assert.ok(JSON.stringify(checksum).includes(Buffer.from(sha256, 'hex').toString('base64')), `${key}: ${JSON.stringify(checksum)}`);
  assert.equal((await small.stats()).unsigned_payloads, 0);
});

test('an object in parts keeps the checksum of its parts\' checksums', async () => {
  const here = await inS3(large, LARGE);
  expectCode(await here.pcw(SYNC), 0);

  await expectWhole(large, here);
  const part = (await objects(large, here)).find(({ key }) => key.endsWith('/data.json'));
  assert.match(part.etag, /-2"?$/);
  assert.match(JSON.stringify(part.checksum), /=-2"/);
});

test('a lake of more objects than one page lists', async () => {
  const here = await inS3(large, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '1' });
  expectCode(await here.pcw(SYNC), 0);

  const listed = JSON.parse((await here.pcw(['bronze', 'ls', '-o', 'json'])).stdout).map(({ key }) => `${here.prefix}/${key}`);
  assert.deepEqual(listed, (await objects(large, here)).map(({ key }) => key));
  assert.equal(listed.length, 1601);
  await expectWhole(large, here);
});

const RIDDEN_OUT = {
  'SlowDown for a third of the writes': [{ operation: 'PutObject', kind: 'throttle', every: 3 }],
  'an answer lost after the object was stored': [{ operation: 'PutObject', kind: 'lost_answer', every: 4 }],
  'an error after the object was stored': [{ operation: 'PutObject', kind: 'error', status: 500, every: 4 }],
  'a conflicting write at the same moment': [{ operation: 'PutObject', kind: 's3_conflict', every: 3 }],
  'an expired token in the middle': [{ operation: 'PutObject', kind: 'expired_token', at: [2] }],
  'a clock that is off': [{ operation: 'PutObject', kind: 'skew', minutes: 20 }],
};
for (const [what, rules] of Object.entries(RIDDEN_OUT)) {
  test(`ridden out: ${what}`, async () => {
    const here = await inS3(small, SMALL);
    await small.faults(rules);
    try {
      expectCode(await here.pcw(SYNC), 0);
    } finally {
      await small.faults([]);
    }
    await expectWhole(small, here);
    assert.equal((await objects(small, here)).length, 13);
  });
}

const RIDDEN_OUT_IN_PARTS = {
  'an error inside the 200 of the completion': [{ operation: 'CompleteMultipartUpload', kind: 's3_complete_error', at: [1] }],
  'the answer of the completion lost': [{ operation: 'CompleteMultipartUpload', kind: 'lost_answer', at: [1] }],
  'a part that was cut on the way': [{ operation: 'UploadPart', kind: 'reset', at: [1] }],
};
for (const [what, rules] of Object.entries(RIDDEN_OUT_IN_PARTS)) {
  test(`ridden out: ${what}`, async () => {
    const here = await inS3(large, LARGE);
    await large.faults(rules);
    try {
      expectCode(await here.pcw(SYNC), 0);
    } finally {
      await large.faults([]);
    }
    await expectWhole(large, here);
  });
}

test('S3 that stays away ends the run as failed, and a rerun completes it', async () => {
  const here = await inS3(small, SMALL);
  await small.faults([{ operation: 'PutObject', kind: 'throttle' }]);
  const throttled = await here.pcw(SYNC);
  await small.faults([]);

  expectCode(throttled, 5);
  assert.match(throttled.stderr, /SlowDown/);
  expectCode(await here.pcw(SYNC), 0);
  await expectWhole(small, here);
});

test('what the role may not do is named with the action, exit 4', async () => {
  const here = await inS3(small, SMALL);
  for (const [action, verb] of [['s3:PutObject', SYNC], ['s3:ListBucket', SYNC], ['s3:ListBucket', ['bronze', 'ls']]]) {
    await small.post('/_sim/account', { denied_actions: [action] });
    const refused = await here.pcw(verb);
    await small.post('/_sim/account', {});
    expectCode(refused, 4);
    assert.match(refused.stderr, new RegExp(`S3 does not allow ${action} on bucket pcw-lake-dev`));
  }
});

test('objects that cannot be read are named in their own words, the rest is proved and loaded', { skip }, async () => {
  const here = await inS3(small, SMALL);
  expectCode(await here.pcw(SYNC), 0);
  const client = new sdk.S3Client({ endpoint: small.url, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId: here.env.AWS_ACCESS_KEY_ID, secretAccessKey: here.env.AWS_SECRET_ACCESS_KEY } });
  const keyOf = async (name) => (await objects(small, here)).find(({ key }) => key.endsWith(`/${name}`)).key;
  const again = async (name, attributes) => {
    const target = { Bucket: 'pcw-lake-dev', Key: await keyOf(name) };
    const bytes = await (await client.send(new sdk.GetObjectCommand(target))).Body.transformToByteArray();
    await client.send(new sdk.PutObjectCommand({ ...target, Body: bytes, ...attributes }));
  };
  try {
    await again('data-00002.json', { StorageClass: 'GLACIER' });
    await again('data-00003.json', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'arn:aws:kms:us-east-1:123456789012:key/other' });
    await small.post('/_sim/account', { denied_actions: ['kms:Decrypt'] });
    await small.faults([{ operation: 'GetObject', kind: 'not_found', identifier: await keyOf('data-00004.json') }]);

    const verified = await here.pcw(['bronze', 'verify']);
    const cat = await here.pcw(['bronze', 'cat', (await keyOf('data-00002.json')).slice(here.prefix.length + 1)]);
    here.sql('DELETE FROM partnercentral_opportunities');
    const loaded = await here.pcw(['bronze', 'reingest', '--entity', 'opportunities']);

    expectCode(verified, 3);
    assert.match(verified.stdout, /data-00002\.json\) the object .* is archived and cannot be read: restore it/);
    assert.match(verified.stdout, /data-00003\.json\) the KMS key that the object .* allow kms:Decrypt/);
    assert.match(verified.stdout, /data-00004\.json\) was in the lake when it was listed and is gone since/);
    assert.match(verified.stdout, /1 runs \(0 without manifest\), 9 parts, 90 records/);
    assert.doesNotMatch(verified.stdout + cat.stderr, /allow it to the role/);
    expectCode(cat, 1);
    assert.match(cat.stderr, /is archived and cannot be read: restore it/);
    expectCode(loaded, 3);
    assert.match(loaded.stderr, /is archived and cannot be read/);
    assert.equal(here.sql('SELECT count(*) FROM partnercentral_opportunities'), '90');
  } finally {
    await small.faults([]);
    await small.post('/_sim/account', {});
    client.destroy();
  }
});

test('a bucket of another region is named with its region, exit 78', async () => {
  const here = await inS3(small, SMALL);

  const refused = await here.pcw(['bronze', 'ls'], { PCW_LAKE_REGION: 'eu-central-1' });

  expectCode(refused, 78);
  assert.match(refused.stderr, /bucket pcw-lake-dev lies in region us-east-1; set lake\.region: us-east-1/);
});

test('a bucket in other hands is refused when its owner is said, and encryption reaches the object', async () => {
  const here = await inS3(small, SMALL);
  const stranger = await here.pcw(SYNC, { PCW_LAKE_EXPECTED_BUCKET_OWNER: '210987654321' });
  expectCode(stranger, 4);
  assert.match(stranger.stderr, /account 210987654321 does not own it/);

  expectCode(await here.pcw(SYNC, { PCW_LAKE_EXPECTED_BUCKET_OWNER: '123456789012', PCW_LAKE_SSE_KMS_KEY_ID: 'alias/pcw-lake' }), 0);
  await expectWhole(small, here);
  for (const { encryption } of await objects(small, here)) assert.equal(encryption, 'aws:kms');
});

test('keys that are rotated on disk in the middle of a run are followed by Partner Central, STS and the lake', async () => {
  const sim = await Sim.start(['--opportunities', '40', '--seed', '7', '--no-quota', '--latency', '25']);
  const pair = (letter) => ({ access_key_id: `AKIAROTATED00000${letter}`, secret_access_key: `secret-${letter}` });
  try {
    const here = await inS3(sim, { ...NO_QUOTA, PCW_SYNC_PART_RECORDS: '5', PCW_CONNECTORS_PARTNER_CENTRAL_MAX_IN_FLIGHT: '1', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' });
    const file = path.join(here.dir, 'credentials');
    const write = ({ access_key_id, secret_access_key }) => writeFileSync(file, `[default]\naws_access_key_id = ${access_key_id}\naws_secret_access_key = ${secret_access_key}\n`);
    await sim.post('/_sim/account', { keys: [pair('A'), pair('B')] });
    write(pair('A'));

    const running = here.pcw(SYNC, { AWS_SHARED_CREDENTIALS_FILE: file });
    while (!(await sim.calls()).some((call) => call.operation === 'PutObject'));  // each look is a request of its own
    write(pair('B'));
    await sim.post('/_sim/account', { keys: [pair('A'), pair('B')], revoked_keys: [pair('A').access_key_id] });

    expectCode(await running, 0);
    const refused = (await sim.calls()).filter((call) => call.outcome === 'unauthenticated' || call.status === 403).map((call) => call.operation);
    assert.ok(refused.includes('PutObject') && refused.some((operation) => operation !== 'PutObject'), `both were refused once: ${refused}`);
    assert.deepEqual(await differences(here, sim), []);
  } finally {
    await sim.stop();
  }
});
