// The simulator as AWS's own clients see it: signing, paging, filters and errors through the JavaScript SDK and the aws command.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { Sim, ACCESS_KEY, SECRET_KEY, scratch } from './harness.mjs';

const sdk = await Promise.all(['@aws-sdk/client-partnercentral-selling', '@aws-sdk/client-sts', '@smithy/signature-v4', '@smithy/protocol-http', '@aws-crypto/sha256-js'].map((name) => import(name))).catch((problem) => problem);
const skip = sdk instanceof Error ? `run npm ci in tests/e2e first: ${sdk.message}` : false;
const [selling, sts, ...signing] = skip ? [{}, {}] : sdk;

const CREDENTIALS = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };

let sim;
before(async () => { sim = await Sim.start(['--opportunities', '237', '--seed', '11', '--no-quota']); });
after(async () => { await sim.stop(); });

/** The SDK's client, its own retries off, so that each refusal is seen. */
function client(options = {}) {
  return new selling.PartnerCentralSellingClient({ endpoint: sim.url, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1, ...options });
}

async function listAll(input = {}) {
  const found = [];
  for await (const page of selling.paginateListOpportunities({ client: client(), pageSize: 50 }, { Catalog: 'AWS', ...input })) found.push(...page.OpportunitySummaries);
  return found;
}

const send = (Command, input, options) => client(options).send(new Command(input));
const get = (Identifier, options) => send(selling.GetOpportunityCommand, { Catalog: 'AWS', Identifier }, options);

test('the paginator finds every opportunity once', { skip }, async () => {
  const truth = new Set((await sim.truth()).map((row) => row.id));

  const ids = (await listAll()).map((summary) => summary.Id);

  assert.equal(ids.length, 237);
  assert.deepEqual(new Set(ids), truth);
});

test('each sort holds in both directions', { skip }, async () => {
  const keys = {
    LastModifiedDate: (s) => s.LastModifiedDate.getTime(),
    CreatedDate: (s) => s.CreatedDate.getTime(),
    Identifier: (s) => s.Id,
    TargetCloseDate: (s) => s.LifeCycle.TargetCloseDate,
  };
  for (const [SortBy, key] of Object.entries(keys)) {
    const ascending = (await listAll({ Sort: { SortBy, SortOrder: 'ASCENDING' } })).map(key);
    const descending = (await listAll({ Sort: { SortBy, SortOrder: 'DESCENDING' } })).map(key);
    assert.ok(ascending.every((value, i) => i === 0 || ascending[i - 1] <= value), SortBy);
    assert.deepEqual(descending, ascending.slice().reverse(), SortBy);
  }
});

test('filters select exactly what the records say', { skip }, async () => {
  const all = await listAll();
  const middle = all[100].LastModifiedDate;

  const since = await listAll({ LastModifiedDate: { AfterLastModifiedDate: middle } });
  const launched = await listAll({ LifeCycleStage: ['Launched'], LifeCycleReviewStatus: ['Approved', 'Submitted'] });
  const named = await listAll({ Identifier: [all[3].Id, all[200].Id] });

  // The SDK sends milliseconds; records with microseconds in that millisecond are after it too.
  assert.deepEqual(since.map((s) => s.Id).sort(), all.filter((s) => s.LastModifiedDate >= middle).map((s) => s.Id).sort());
  assert.deepEqual(
    launched.map((s) => s.Id).sort(),
    all.filter((s) => s.LifeCycle.Stage === 'Launched' && ['Approved', 'Submitted'].includes(s.LifeCycle.ReviewStatus)).map((s) => s.Id).sort());
  assert.deepEqual(named.map((s) => s.Id).sort(), [all[3].Id, all[200].Id].sort());
});

test('every record can be read and parsed by the SDK', { skip }, async () => {
  for (const row of (await sim.truth()).slice(0, 100)) {
    const record = await get(row.id);
    assert.equal(record.Id, row.id);
    assert.equal(record.LastModifiedDate.getTime(), Math.floor(Date.parse(row.LastModifiedDate)));
    assert.ok(record.RelatedEntityIdentifiers);
  }
});

test('the truth is the hash of the bytes that are served', { skip }, async () => {
  const [row] = await sim.truth();
  let body;
  const spy = client();
  spy.middlewareStack.add((next) => async (args) => {
    const answer = await next(args);
    const chunks = [];
    for await (const chunk of answer.response.body) chunks.push(chunk);
    body = Buffer.concat(chunks);
    const { Readable } = await import('node:stream');
    answer.response.body = Readable.from([body]);
    return answer;
  }, { step: 'deserialize', priority: 'low' });

  await spy.send(new selling.GetOpportunityCommand({ Catalog: 'AWS', Identifier: row.id }));

  assert.equal(createHash('sha256').update(body).digest('hex'), row.sha256);
});

test('the Sandbox catalog holds other records', { skip }, async () => {
  const page = await send(selling.ListOpportunitiesCommand, { Catalog: 'Sandbox', MaxResults: 100 });

  assert.equal(page.OpportunitySummaries.length, 25);
  assert.equal(page.NextToken, undefined);
  await assert.rejects(get(page.OpportunitySummaries[0].Id), { name: 'ResourceNotFoundException' });
});

test('errors arrive as the SDK\'s typed exceptions', { skip }, async () => {
  await assert.rejects(get('O404'), (error) => error instanceof selling.ResourceNotFoundException);
  await assert.rejects(send(selling.ListOpportunitiesCommand, { Catalog: 'AWS', MaxResults: 101, LifeCycleStage: ['Won'] }), (error) => {
    assert.ok(error instanceof selling.ValidationException);
    assert.equal(error.Reason, 'REQUEST_VALIDATION_FAILED');
    assert.deepEqual(new Map(error.ErrorList.map((e) => [e.FieldName, e.Code])), new Map([['LifeCycleStage[0]', 'INVALID_ENUM_VALUE'], ['MaxResults', 'VALUE_OUT_OF_RANGE']]));
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
    return true;
  });
  await assert.rejects(send(selling.ListEngagementMembersCommand, { Catalog: 'AWS' }), { name: 'UnknownOperationException' });
});

test('a token of another request is refused', { skip }, async () => {
  const first = await send(selling.ListOpportunitiesCommand, { Catalog: 'AWS', MaxResults: 5 });

  await assert.rejects(send(selling.ListOpportunitiesCommand, { Catalog: 'AWS', LifeCycleStage: ['Launched'], NextToken: first.NextToken }), { name: 'ValidationException' });
  await assert.rejects(send(selling.ListOpportunitiesCommand, { Catalog: 'AWS', NextToken: 'AAMA-nonsense' }), { name: 'ValidationException' });
});

test('wrong secret, unknown key, wrong region and wrong time are refused', { skip }, async () => {
  const [{ id }] = await sim.truth();
  const wrong = (credentials) => get(id, { credentials: { ...CREDENTIALS, ...credentials } });

  await assert.rejects(wrong({ secretAccessKey: 'wrong' }), { name: 'InvalidSignatureException' });
  await assert.rejects(wrong({ accessKeyId: 'AKIAUNKNOWN' }), { name: 'UnrecognizedClientException' });
  await assert.rejects(wrong({ sessionToken: 'made-up' }), { name: 'UnrecognizedClientException' });
  await assert.rejects(get(id, { region: 'eu-west-1' }), { name: 'InvalidSignatureException' });
  await assert.rejects(get(id, { systemClockOffset: -400_000 }), { name: 'InvalidSignatureException', message: /Signature expired/ });
});

test('an assumed role reads until its session is refused', { skip }, async () => {
  const client = new sts.STSClient({ endpoint: sim.url, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1 });
  const who = await client.send(new sts.GetCallerIdentityCommand({}));
  const assumed = await client.send(new sts.AssumeRoleCommand({ RoleArn: 'arn:aws:iam::123456789012:role/Reader', RoleSessionName: 'e2e', DurationSeconds: 900 }));
  const credentials = { accessKeyId: assumed.Credentials.AccessKeyId, secretAccessKey: assumed.Credentials.SecretAccessKey, sessionToken: assumed.Credentials.SessionToken };
  const [{ id }] = await sim.truth();

  assert.equal(who.Account, '123456789012');
  assert.equal(assumed.AssumedRoleUser.Arn, 'arn:aws:sts::123456789012:assumed-role/Reader/e2e');
  assert.equal((await get(id, { credentials })).Id, id);
  await assert.rejects(get(id, { credentials: { ...credentials, sessionToken: undefined } }), { name: 'UnrecognizedClientException' });
  await assert.rejects(client.send(new sts.AssumeRoleCommand({ RoleArn: 'arn:aws:iam::999999999999:role/Other', RoleSessionName: 'e2e' })), { name: 'AccessDenied' });
});

/** One signed call of partnercentral-account, for which no client is installed; the SDK's signer signs it. */
async function listPartners(input = { Catalog: 'AWS' }, { credentials = CREDENTIALS, service = 'partnercentral-account' } = {}) {
  const [{ SignatureV4 }, { HttpRequest }, { Sha256 }] = signing;
  const { host, hostname, port } = new URL(sim.url);
  const headers = { host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'PartnerCentralAccount.ListPartners' };
  const request = new HttpRequest({ method: 'POST', protocol: 'http:', hostname, port: Number(port), path: '/', headers, body: JSON.stringify(input) });
  const signed = await new SignatureV4({ service, region: 'us-east-1', sha256: Sha256, credentials }).sign(request);
  const answer = await fetch(sim.url, { method: 'POST', headers: signed.headers, body: signed.body });
  return { status: answer.status, body: await answer.json() };
}

const stsClient = (options = {}) => new sts.STSClient({ endpoint: sim.url, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1, ...options });
const whoAmI = (credentials) => stsClient({ credentials }).send(new sts.GetCallerIdentityCommand({}));
const READER = { RoleArn: 'arn:aws:iam::123456789012:role/Reader', RoleSessionName: 'e2e' };
const NEXT = { accessKeyId: 'AKIAI44QH8DHBEXAMPLE', secretAccessKey: 'je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY' };

/** Sets the account's state for one test. */
async function withAccount(t, state) {
  t.after(() => sim.post('/_sim/account', {}));
  return sim.post('/_sim/account', state);
}

test('a web identity needs no credentials and gives a session that reads', { skip }, async () => {
  const nobody = stsClient({ credentials: () => { throw new Error('asked for credentials'); } });
  const assume = (WebIdentityToken) => nobody.send(new sts.AssumeRoleWithWebIdentityCommand({ ...READER, WebIdentityToken }));

  const assumed = await assume('eyJhbGciOiJub25lIn0.eyJzdWIiOiJwb2QifQ.sig+/=');
  const credentials = { accessKeyId: assumed.Credentials.AccessKeyId, secretAccessKey: assumed.Credentials.SecretAccessKey, sessionToken: assumed.Credentials.SessionToken };
  const [{ id }] = await sim.truth();

  assert.equal(assumed.AssumedRoleUser.Arn, 'arn:aws:sts::123456789012:assumed-role/Reader/e2e');
  assert.match(assumed.SubjectFromWebIdentityToken, /^subject-/);
  assert.ok(assumed.Credentials.Expiration > new Date());
  assert.equal((await get(id, { credentials })).Id, id);
  await assert.rejects(assume('expired'), (error) => error instanceof sts.ExpiredTokenException);
  await assert.rejects(assume('invalid'), (error) => error instanceof sts.InvalidIdentityTokenException);
  await assert.rejects(assume(''), { name: 'ValidationError' });
});

test('ListPartners answers the account\'s partners under its own signing name', { skip }, async () => {
  const { status, body } = await listPartners();

  assert.equal(status, 200);
  assert.equal(body.PartnerSummaryList.length, 2);
  assert.match(body.PartnerSummaryList[0].Arn, /^arn:aws:partnercentral:us-east-1:123456789012:catalog\/AWS\/partner\/partner-[A-Za-z0-9]{13}$/);
  assert.ok(body.PartnerSummaryList[0].Arn.endsWith(body.PartnerSummaryList[0].Id));
  assert.match((await listPartners({})).body.__type, /partnercentralaccount#ValidationException$/);
  assert.match((await listPartners(undefined, { service: 'partnercentral-selling' })).body.__type, /#InvalidSignatureException$/);
});

test('solutions are paged to the end, filtered and sorted', { skip }, async () => {
  const found = [];
  for await (const page of selling.paginateListSolutions({ client: client(), pageSize: 3 }, { Catalog: 'AWS', Sort: { SortBy: 'Name', SortOrder: 'DESCENDING' } })) found.push(...page.SolutionSummaries);

  const ids = found.map((solution) => solution.Id);
  assert.deepEqual(new Set(ids), new Set((await sim.get('/_sim/truth?catalog=AWS&entity=solutions')).map((row) => row.id)));
  assert.equal(ids.length, 8);
  const two = await send(selling.ListSolutionsCommand, { Catalog: 'AWS', Identifier: ids.slice(0, 2) });
  assert.deepEqual(two.SolutionSummaries.map((solution) => solution.Id).sort(), ids.slice(0, 2).sort());
});

// This version of the SDK sends ContextTypes, though its model does not have them yet, and drops those of the answer.
test('engagements are listed by the types of their contexts', { skip }, async () => {
  const list = (input) => send(selling.ListEngagementsCommand, { Catalog: 'AWS', MaxResults: 100, ...input }).then((page) => page.EngagementSummaryList);
  const leads = await list({ ContextTypes: ['Lead'] });

  const truth = (await sim.get('/_sim/truth?catalog=AWS&entity=leads')).filter((lead) => lead.state === 'accepted');
  assert.deepEqual(new Set(leads.map((lead) => lead.Id)), new Set(truth.map((lead) => lead.id)));
  assert.equal((await list({ ExcludeContextTypes: ['Lead'] })).length, 3);
  const body = await send(selling.GetEngagementCommand, { Catalog: 'AWS', Identifier: leads[0].Id });
  const context = body.Contexts.find(({ Type }) => Type === 'Lead');
  assert.ok(context.Payload.Lead.Customer.CompanyName.length > 0 && context.Payload.Lead.Interactions.length > 0);
});

test('an invitation is read by ARN and answered once', { skip }, async () => {
  const list = (input) => send(selling.ListEngagementInvitationsCommand, { Catalog: 'AWS', PayloadType: ['LeadInvitation'], Status: ['PENDING'], ...input });
  await assert.rejects(list({}), (error) => error instanceof selling.ValidationException && error.ErrorList[0].FieldName === 'ParticipantType');
  const invitation = (await list({ ParticipantType: 'RECEIVER' })).EngagementInvitationSummaries.find((one) => one.EngagementId);

  const body = await send(selling.GetEngagementInvitationCommand, { Catalog: 'AWS', Identifier: invitation.Arn });

  assert.equal(body.Id, invitation.Id);
  assert.ok(body.Payload.LeadInvitation.Customer.CompanyName.length > 0);
  assert.equal((await sim.calls()).at(-1).identifier, invitation.Id);
  const read = () => send(selling.GetEngagementCommand, { Catalog: 'AWS', Identifier: invitation.EngagementId });
  await assert.rejects(read(), { name: 'ResourceNotFoundException' });
  const accept = () => send(selling.AcceptEngagementInvitationCommand, { Catalog: 'AWS', Identifier: invitation.Id });
  await accept();
  await assert.rejects(accept(), (error) => error instanceof selling.ConflictException);
  assert.equal((await read()).Id, invitation.EngagementId);
});

test('AWS\'s own view of an opportunity is a record of its own', { skip }, async () => {
  const [{ id }] = await sim.truth();
  const read = () => send(selling.GetAwsOpportunitySummaryCommand, { Catalog: 'AWS', RelatedOpportunityIdentifier: id });
  const before = await read();
  await sim.modify({ entity: 'aws_summaries', ids: [id] });

  const after = await read();

  assert.equal(after.RelatedOpportunityId, id);
  assert.notEqual(after.Insights.NextBestActions, before.Insights.NextBestActions);
  await assert.rejects(send(selling.GetAwsOpportunitySummaryCommand, { Catalog: 'AWS', RelatedOpportunityIdentifier: 'O1' }), { name: 'ResourceNotFoundException' });
});

test('an unlinked account is denied Partner Central and nothing else', { skip }, async (t) => {
  const [{ id }] = await sim.truth();
  assert.deepEqual(await withAccount(t, { linked: false }), { linked: false, denied_actions: [], revoked_keys: [], keys: [], roles: [] });

  await assert.rejects(get(id), (error) => {
    assert.ok(error instanceof selling.AccessDeniedException);
    assert.equal(error.message, 'Unable to handle request due to access denied');
    assert.equal(error.$metadata.httpStatusCode, 400);
    return true;
  });
  assert.equal((await listPartners()).status, 400);
  assert.equal((await whoAmI(CREDENTIALS)).Account, '123456789012');
});

test('denied actions name the caller and are denied alone', { skip }, async (t) => {
  const [{ id }] = await sim.truth();
  await withAccount(t, { denied_actions: ['partnercentral:GetOpportunity', 'sts:AssumeRole'] });

  await assert.rejects(get(id), {
    name: 'AccessDeniedException',
    message: 'User: arn:aws:iam::123456789012:user/pcw-example is not authorized to perform: partnercentral:GetOpportunity on resource: * because no identity-based policy allows the partnercentral:GetOpportunity action',
  });
  await assert.rejects(stsClient().send(new sts.AssumeRoleCommand(READER)), (error) => error.name === 'AccessDenied' && error.$metadata.httpStatusCode === 403);
  assert.equal((await listAll()).length, 237);
});

test('keys can be rotated, revoked, and be of another account', { skip }, async (t) => {
  const [{ id }] = await sim.truth();
  const other = { accessKeyId: 'AKIA0000OTHERACCOUNT', secretAccessKey: 'another' };
  await withAccount(t, {
    revoked_keys: [ACCESS_KEY],
    keys: [
      { access_key_id: NEXT.accessKeyId, secret_access_key: NEXT.secretAccessKey },
      { access_key_id: other.accessKeyId, secret_access_key: other.secretAccessKey, user: 'stranger', account_id: '210987654321' },
    ],
  });

  await assert.rejects(get(id), { name: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' });
  await assert.rejects(whoAmI(CREDENTIALS), (error) => error.name === 'InvalidClientTokenId' && error.$metadata.httpStatusCode === 403);
  assert.equal((await get(id, { credentials: NEXT })).Id, id);
  assert.equal((await whoAmI(NEXT)).Arn, 'arn:aws:iam::123456789012:user/pcw-example');
  assert.equal((await whoAmI(other)).Account, '210987654321');
  assert.ok(!JSON.stringify(await sim.get('/_sim/account')).includes(NEXT.secretAccessKey));

  await sim.post('/_sim/account', {});
  assert.equal((await get(id)).Id, id);
  await assert.rejects(get(id, { credentials: NEXT }), { name: 'UnrecognizedClientException' });
});

test('a mistake in the account\'s state is refused with the nearest name', async () => {
  await assert.rejects(sim.post('/_sim/account', { linkd: false }), /400 .*unknown key .*linkd.*did you mean .*linked/s);
  await assert.rejects(sim.post('/_sim/account', { denied_actions: ['partnercentral:GetOportunity'] }), /did you mean .*partnercentral:GetOpportunity/s);
  assert.deepEqual(await sim.get('/_sim/account'), { linked: true, denied_actions: [], revoked_keys: [], keys: [], roles: [] });
});

test('the eleventh read of a moment is throttled and booked', { skip }, async () => {
  const strict = await Sim.start(['--opportunities', '20']);
  try {
    const one = new selling.PartnerCentralSellingClient({ endpoint: strict.url, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1 });
    const [{ id }] = await strict.truth();

    const outcomes = await Promise.allSettled(Array.from({ length: 14 }, () => one.send(new selling.GetOpportunityCommand({ Catalog: 'AWS', Identifier: id }))));

    const refused = outcomes.filter((o) => o.status === 'rejected');
    assert.ok(refused.length >= 2 && refused.length <= 4, `${refused.length} refused`);
    assert.ok(refused.every((o) => o.reason instanceof selling.ThrottlingException && o.reason.message === 'Rate exceeded'));
    const stats = await strict.stats();
    assert.equal(stats.refused, refused.length);
    assert.equal(stats.max_arrivals_per_second, 14);
  } finally {
    await strict.stop();
  }
});

test('the SDK\'s own retry gets through throttling, server errors and resets', { skip }, async () => {
  const [{ id }] = await sim.truth();
  for (const rule of [{ kind: 'throttle', at: [1] }, { kind: 'error', status: 503, body: 'html', at: [1] }, { kind: 'reset', at: [1] }, { kind: 'lost_answer', at: [1] }]) {
    await sim.faults([{ operation: 'GetOpportunity', ...rule }]);
    assert.equal((await get(id, { maxAttempts: 3 })).Id, id, rule.kind);
  }
  await sim.faults([]);
});

test('the aws command can list, read and be refused', async (t) => {
  const home = scratch();
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, AWS_CONFIG_FILE: `${home}/none`, AWS_SHARED_CREDENTIALS_FILE: `${home}/none`, AWS_ENDPOINT_URL: sim.url, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY, AWS_DEFAULT_REGION: 'us-east-1', AWS_MAX_ATTEMPTS: '1', AWS_EC2_METADATA_DISABLED: 'true', AWS_PAGER: '' };
  const aws = async (...args) => JSON.parse((await promisify(execFile)('aws', [...args, '--output', 'json'], { env, maxBuffer: 1 << 26 })).stdout);
  try {
    await promisify(execFile)('aws', ['partnercentral-selling', 'help'], { env: { ...env, AWS_PAGER: 'cat', MANPAGER: 'cat', PAGER: 'cat' }, maxBuffer: 1 << 26 });
  } catch (problem) {
    // Without groff only the manual page fails to render; a missing command or service is a reason to skip.
    if (problem.code === 'ENOENT') return t.skip('the aws command is not installed');
    if (/Invalid choice|invalid choice/.test(problem.stderr)) return t.skip('this aws command does not know partnercentral-selling');
  }

  const listed = await aws('partnercentral-selling', 'list-opportunities', '--catalog', 'AWS', '--page-size', '100');
  const { Id } = listed.OpportunitySummaries[7];
  const record = await aws('partnercentral-selling', 'get-opportunity', '--catalog', 'AWS', '--identifier', Id);

  assert.equal(listed.OpportunitySummaries.length, 237);
  assert.equal(record.Id, Id);
  assert.equal(record.LastModifiedDate, listed.OpportunitySummaries[7].LastModifiedDate);
  await assert.rejects(aws('partnercentral-selling', 'get-opportunity', '--catalog', 'AWS', '--identifier', 'O404'), { stderr: /ResourceNotFoundException/ });
});
