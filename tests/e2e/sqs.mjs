// SQS by hand for end-to-end tests: requests in both of its wire protocols, signed by the AWS SDK's own signer.
import { createHash } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { HttpRequest } from '@smithy/protocol-http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { ACCESS_KEY, SECRET_KEY } from './harness.mjs';

export const ACCOUNT = '123456789012';
export const md5 = (text) => createHash('md5').update(text).digest('hex');

const signer = new SignatureV4({ service: 'sqs', region: 'us-east-1', sha256: Sha256, credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY } });

async function send(endpoint, path, headers, body) {
  const { host, hostname, port } = new URL(endpoint);
  const signed = await signer.sign(new HttpRequest({ method: 'POST', protocol: 'http:', hostname, port: Number(port), path, headers: { host, ...headers }, body }));
  delete signed.headers.host;  // fetch sets the same one
  const answer = await fetch(endpoint + path, { method: 'POST', headers: signed.headers, body });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

/** One call in the JSON protocol; its answer as an object. Anything but 200 is an error. */
export async function sqs(endpoint, operation, input) {
  const answer = await send(endpoint, '/', { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` }, JSON.stringify(input));
  if (answer.status !== 200) throw new Error(`${operation}: ${answer.status} ${answer.text}`);
  return answer.text ? JSON.parse(answer.text) : {};
}

/** One call in the query protocol, as clients of before November 2023 make it: to the queue's own path, answered in XML. */
export function sqsQuery(endpoint, queue, action, fields = {}) {
  const body = new URLSearchParams({ Action: action, Version: '2012-11-05', ...fields }).toString();
  return send(endpoint, queue ? `/${ACCOUNT}/${queue}` : '/', { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, body);
}

/** Messages in the queue: { visible, hidden, all }. */
export async function queueDepth(endpoint, url) {
  const { Attributes } = await sqs(endpoint, 'GetQueueAttributes', { QueueUrl: url, AttributeNames: ['All'] });
  const visible = Number(Attributes.ApproximateNumberOfMessages);
  const hidden = Number(Attributes.ApproximateNumberOfMessagesNotVisible);
  return { visible, hidden, all: visible + hidden };
}
