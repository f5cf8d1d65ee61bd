import { once } from 'node:events';
import { Agent, createServer, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { type Found, operations } from '#tests/support/contract.ts';
import { ask } from '#tests/support/fuzz/ask.ts';
import { type Asked, somebody } from '#tests/support/fuzz/somebody.ts';

// A server that answers as it is told to: what schema-fuzz.test.ts would say of it.

type Planted = { readonly status?: number; readonly headers?: OutgoingHttpHeaders; readonly body?: unknown };
let planted: Planted = {};
const JSON_TYPE = { 'content-type': 'application/json' };
const server = createServer((_, response) => {
  const { status = 200, headers = JSON_TYPE, body } = planted;
  response.writeHead(status, { 'x-request-id': 'an-id', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const agent = new Agent({ keepAlive: true });
afterAll(() => {
  agent.destroy();
  server.close();
});

const [me, another] = [somebody('me', { accessToken: 'mine' }, {}), somebody('another', {}, {})];
another.secrets.add('another-secret-of-theirs').add('712345678');
const userId = '01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f';
const operation = (id: string) => operations.find((found) => found.operation.operationId === id) as Found;
const balance: Asked = {
  ...{ found: operation('getBalance'), method: 'GET', path: `/v1/users/${userId}/balance` },
  ...{ headers: {}, speakers: [me] },
};
const charge: Asked = {
  ...{ found: operation('chargeBalance'), method: 'POST', path: `/v1/users/${userId}/balance/charges` },
  ...{ headers: {}, speakers: [me], body: '{"amount":"5"}', json: { amount: '5' } },
};
const BALANCE = { userId, balance: 5, currency: 'KRW' };
const CHARGE = { ...BALANCE, chargeId: userId, amount: 5, chargedAt: '2026-11-20T09:33:00.000Z' };
const PROBLEM = { type: 'about:blank', title: '', status: 500, code: 'internal', detail: '', instance: 'an-id' };

async function faultsOf(answer: Planted, asked = balance): Promise<readonly string[]> {
  planted = answer;
  return (await ask(url, agent, asked, [me, another])).faults;
}

test('a documented answer is accepted', async () => {
  expect(await faultsOf({ body: BALANCE })).toEqual([]);
});

test.each<[string, Planted, Asked, RegExp]>([
  ['a 500, though documented', { status: 500, body: PROBLEM }, balance, /^500 is nobody's fault but ours/],
  ['a status that the document does not have', { status: 418, body: {} }, balance, /418 is not documented/],
  ['a missing field', { body: { ...BALANCE, currency: undefined } }, balance, /must have required property 'currency'/],
  ['a field of another type', { body: { ...BALANCE, balance: '5' } }, balance, /\/balance must be integer/],
  ['another content type', { headers: { 'content-type': 'text/html' }, body: '{}' }, balance, /is not as documented/],
  ['no JSON', { body: 'oops' }, balance, /is not as documented/],
  ['a missing header', { headers: { ...JSON_TYPE, 'x-request-id': '' }, body: BALANCE }, balance, /X-Request-Id/],
  [
    "somebody else's secret",
    { body: { ...BALANCE, of: 'another-secret-of-theirs' } },
    balance,
    /tells another's another/,
  ],
  ["somebody else's money", { body: { ...BALANCE, balance: 712_345_678 } }, balance, /tells another's 712345678/],
  ['a statement', { body: { ...BALANCE, why: 'SELECT balance FROM wallets' } }, balance, /tells how it is made/],
  ['a stack trace', { body: { ...BALANCE, why: 'at pay (/app/src/pay.ts:7:3)' } }, balance, /tells how it is made/],
  [
    'success with an invalid request',
    { status: 201, body: CHARGE },
    charge,
    /accepts a body that the document does not/,
  ],
])('a wrong answer is found: %s', async (_, answer, asked, fault) => {
  expect(await faultsOf(answer, asked)).toContainEqual(expect.stringMatching(fault));
});

test('a missing answer is found', async () => {
  const nowhere = await ask('http://127.0.0.1:1', agent, balance, []);
  expect(nowhere.faults).toContainEqual(expect.stringMatching(/^no answer/));
});
