// The simulator's SQS on the wire: the query protocol with XML that clients of before November 2023 speak (Debian's aws among them), signed by
// the AWS SDK's own signer; the JSON protocol beside it on the same queues; and its faults, as a consumer meets them.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Sim } from './harness.mjs';
import { ACCOUNT, md5, queueDepth, sqs, sqsQuery } from './sqs.mjs';

let sim;
let queues = 0;
before(async () => { sim = await Sim.start(['--opportunities', '5', '--no-quota']); });
after(() => sim.stop());

const UNESCAPED = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const unescape = (text) => text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => UNESCAPED[name]).replace(/&#(?:x([0-9a-fA-F]+)|(\d+));/g, (_, hex, decimal) => String.fromCodePoint(parseInt(hex ?? decimal, hex ? 16 : 10)));
/** Every element of that name, as it stands; none holds another of its name. */
const elements = (xml, name) => [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map((match) => match[1]);
const text = (xml, name) => unescape(elements(xml, name)[0] ?? '');
/** <Attribute><Name>..</Name><Value>..</Value></Attribute>... as an object. */
const pairs = (xml, name) => Object.fromEntries(elements(xml, name).map((element) => [text(element, 'Name'), element.includes('<StringValue>') ? text(element, 'StringValue') : text(element, 'Value')]));

async function newQueue(attributes = {}) {
  const name = `wire-${++queues}`;
  const { QueueUrl } = await sqs(sim.url, 'CreateQueue', { QueueName: name, Attributes: attributes });
  return { name, url: QueueUrl };
}

test('the query protocol: a message there and back, with its attributes', async () => {
  const made = await sqsQuery(sim.url, '', 'CreateQueue', { QueueName: 'older', 'Attribute.1.Name': 'VisibilityTimeout', 'Attribute.1.Value': '40' });
  assert.equal(made.status, 200, made.text);
  assert.match(made.headers.get('content-type'), /^text\/xml/);
  assert.match(made.text, /^<\?xml version="1.0"\?><CreateQueueResponse xmlns="http:\/\/queue.amazonaws.com\/doc\/2012-11-05\/"><CreateQueueResult>/);
  assert.equal(text(made.text, 'QueueUrl'), `${sim.url}/${ACCOUNT}/older`);
  assert.equal(text((await sqsQuery(sim.url, '', 'GetQueueUrl', { QueueName: 'older' })).text, 'QueueUrl'), `${sim.url}/${ACCOUNT}/older`);
  assert.ok(elements((await sqsQuery(sim.url, '', 'ListQueues', { QueueNamePrefix: 'old' })).text, 'QueueUrl').includes(`${sim.url}/${ACCOUNT}/older`));

  const body = '{"a": "<&>\'\\"", "b": "línea\n"}';
  const sent = await sqsQuery(sim.url, 'older', 'SendMessage', { QueueUrl: `${sim.url}/${ACCOUNT}/older`, MessageBody: body,
    'MessageAttribute.1.Name': 'stage', 'MessageAttribute.1.Value.DataType': 'String', 'MessageAttribute.1.Value.StringValue': 'map' });
  assert.equal(sent.status, 200, sent.text);
  assert.equal(text(sent.text, 'MD5OfMessageBody'), md5(body));
  assert.match(text(sent.text, 'RequestId'), /^[0-9a-f-]{36}$/);

  const received = await sqsQuery(sim.url, 'older', 'ReceiveMessage', { QueueUrl: `${sim.url}/${ACCOUNT}/older`, MaxNumberOfMessages: '10', 'AttributeName.1': 'All', 'MessageAttributeName.1': 'All' });
  assert.equal(elements(received.text, 'Message').length, 1, received.text);
  const [message] = elements(received.text, 'Message');
  assert.equal(text(message, 'Body'), body);
  assert.equal(text(message, 'MD5OfBody'), md5(body));
  assert.equal(text(message, 'MessageId'), text(sent.text, 'MessageId'));
  assert.equal(text(message, 'MD5OfMessageAttributes'), text(sent.text, 'MD5OfMessageAttributes'));
  assert.equal(pairs(message, 'Attribute').ApproximateReceiveCount, '1');
  assert.match(pairs(message, 'Attribute').SentTimestamp, /^\d{13}$/);
  assert.deepEqual(pairs(message, 'MessageAttribute'), { stage: 'map' });

  const attributes = await sqsQuery(sim.url, 'older', 'GetQueueAttributes', { QueueUrl: `${sim.url}/${ACCOUNT}/older`, 'AttributeName.1': 'All' });
  assert.equal(pairs(attributes.text, 'Attribute').VisibilityTimeout, '40');
  assert.equal(pairs(attributes.text, 'Attribute').ApproximateNumberOfMessagesNotVisible, '1');

  const deleted = await sqsQuery(sim.url, 'older', 'DeleteMessage', { QueueUrl: `${sim.url}/${ACCOUNT}/older`, ReceiptHandle: text(message, 'ReceiptHandle') });
  assert.equal(deleted.status, 200, deleted.text);
  assert.equal((await queueDepth(sim.url, `${sim.url}/${ACCOUNT}/older`)).all, 0);
});

test('the query protocol: batches answer entry by entry, errors have the codes of old', async () => {
  const { name, url } = await newQueue();
  const batch = (bodies) => Object.fromEntries(bodies.flatMap((body, i) => [
    [`SendMessageBatchRequestEntry.${i + 1}.Id`, `m${i}`], [`SendMessageBatchRequestEntry.${i + 1}.MessageBody`, body]]));
  const whole = await sqsQuery(sim.url, name, 'SendMessageBatch', { QueueUrl: url, ...batch(['first', '\u0001', 'third']) });
  assert.deepEqual([whole.status, text(whole.text, 'Code')], [400, 'InvalidMessageContents'], 'one character that XML does not have costs the whole batch');
  const sent = await sqsQuery(sim.url, name, 'SendMessageBatch', { QueueUrl: url, ...batch(['first', '', 'third']) });
  assert.deepEqual(elements(sent.text, 'SendMessageBatchResultEntry').map((entry) => text(entry, 'Id')), ['m0', 'm2']);
  const [refused] = elements(sent.text, 'BatchResultErrorEntry');
  assert.deepEqual([text(refused, 'Id'), text(refused, 'Code'), text(refused, 'SenderFault')], ['m1', 'MissingParameter', 'true']);

  // What one protocol sent the other receives, and deletes with the same handle.
  const { Messages } = await sqs(sim.url, 'ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: 10 });
  assert.deepEqual(Messages.map((message) => message.Body), ['first', 'third']);
  const handles = {};
  Messages.forEach((message, i) => {
    handles[`ChangeMessageVisibilityBatchRequestEntry.${i + 1}.Id`] = String(i);
    handles[`ChangeMessageVisibilityBatchRequestEntry.${i + 1}.ReceiptHandle`] = message.ReceiptHandle;
    handles[`ChangeMessageVisibilityBatchRequestEntry.${i + 1}.VisibilityTimeout`] = '0';
  });
  const shown = await sqsQuery(sim.url, name, 'ChangeMessageVisibilityBatch', { QueueUrl: url, ...handles });
  assert.equal(elements(shown.text, 'ChangeMessageVisibilityBatchResultEntry').length, 2, shown.text);
  assert.deepEqual(await queueDepth(sim.url, url), { visible: 2, hidden: 0, all: 2 });
  const gone = await sqsQuery(sim.url, name, 'DeleteMessageBatch', { QueueUrl: url,
    'DeleteMessageBatchRequestEntry.1.Id': 'a', 'DeleteMessageBatchRequestEntry.1.ReceiptHandle': Messages[0].ReceiptHandle,
    'DeleteMessageBatchRequestEntry.2.Id': 'b', 'DeleteMessageBatchRequestEntry.2.ReceiptHandle': 'no handle' });
  assert.deepEqual(elements(gone.text, 'DeleteMessageBatchResultEntry').map((entry) => text(entry, 'Id')), ['a']);
  assert.equal(text(elements(gone.text, 'BatchResultErrorEntry')[0], 'Code'), 'ReceiptHandleIsInvalid');

  const large = 'x'.repeat(256 * 1024);
  const taken = await sqsQuery(sim.url, name, 'SendMessage', { QueueUrl: url, MessageBody: large });
  assert.equal(text(taken.text, 'MD5OfMessageBody'), md5(large), taken.text.slice(0, 300));

  const missing = await sqsQuery(sim.url, 'no-such', 'GetQueueAttributes', { QueueUrl: `${sim.url}/${ACCOUNT}/no-such`, 'AttributeName.1': 'All' });
  assert.deepEqual([missing.status, text(missing.text, 'Code'), text(missing.text, 'Type')], [400, 'AWS.SimpleQueueService.NonExistentQueue', 'Sender']);
  const unknown = await sqsQuery(sim.url, name, 'NoSuchAction', { QueueUrl: url });
  assert.deepEqual([unknown.status, text(unknown.text, 'Code')], [400, 'InvalidAction']);
  const unsigned = await fetch(`${sim.url}/${ACCOUNT}/${name}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `Action=ReceiveMessage&Version=2012-11-05&QueueUrl=${encodeURIComponent(url)}` });
  assert.equal(unsigned.status, 403);
  assert.match(await unsigned.text(), /<Code>MissingAuthenticationToken<\/Code>/);
});

test('visibility, receive counts and redrive, as a consumer sees them', async () => {
  const { url: target } = await newQueue();
  const { Attributes } = await sqs(sim.url, 'GetQueueAttributes', { QueueUrl: target, AttributeNames: ['QueueArn'] });
  const { url } = await newQueue({ VisibilityTimeout: '0', RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: 3 }) });
  const { MessageId } = await sqs(sim.url, 'SendMessage', { QueueUrl: url, MessageBody: 'poison' });
  const receive = (queue) => sqs(sim.url, 'ReceiveMessage', { QueueUrl: queue, AttributeNames: ['All'] });
  let sent;
  for (const count of ['1', '2', '3']) {
    const [message] = (await receive(url)).Messages;
    assert.equal(message.Attributes.ApproximateReceiveCount, count);
    sent = message.Attributes.SentTimestamp;
  }

  assert.deepEqual(await receive(url), {});

  const [moved] = (await receive(target)).Messages;
  assert.deepEqual([moved.MessageId, moved.Attributes.SentTimestamp, moved.Attributes.ApproximateReceiveCount], [MessageId, sent, '1']);
});

test('duplicates and reordering come when they are asked for', async () => {
  const { url } = await newQueue({ VisibilityTimeout: '600' });
  for (let i = 0; i < 3; ++i) await sqs(sim.url, 'SendMessageBatch', { QueueUrl: url, Entries: Array.from({ length: 10 }, (_, k) => ({ Id: String(k), MessageBody: `m${i * 10 + k}` })) });
  await sim.faults([{ operation: 'ReceiveMessage', kind: 'sqs_duplicate', at: [1] }, { operation: 'ReceiveMessage', kind: 'sqs_reorder', at: [3] }]);
  const receive = async () => ((await sqs(sim.url, 'ReceiveMessage', { QueueUrl: url, MaxNumberOfMessages: 10 })).Messages ?? []);

  const first = await receive();
  const again = await receive();
  const last = await receive();
  await sim.faults([]);

  assert.deepEqual(first.map((message) => message.Body), Array.from({ length: 10 }, (_, k) => `m${k}`));
  assert.deepEqual(again.map((message) => message.MessageId), first.map((message) => message.MessageId), 'they came a second time');
  assert.notEqual(again[0].ReceiptHandle, first[0].ReceiptHandle);
  assert.deepEqual(last.map((message) => message.Body), Array.from({ length: 10 }, (_, k) => `m${29 - k}`));

  // The older handle is accepted and deletes nothing (T7).
  await sqs(sim.url, 'DeleteMessage', { QueueUrl: url, ReceiptHandle: first[0].ReceiptHandle });
  assert.equal((await queueDepth(sim.url, url)).all, 30);
  await sqs(sim.url, 'DeleteMessage', { QueueUrl: url, ReceiptHandle: again[0].ReceiptHandle });
  assert.equal((await queueDepth(sim.url, url)).all, 29);
});
