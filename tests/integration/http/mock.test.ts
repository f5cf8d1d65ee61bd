import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { onFreePort } from '#local/free-port.ts';
import { contract, faultsOf, type Media, operations } from '#tests/support/contract.ts';
import { reaped } from '#tests/support/reaper.ts';
import { until } from '#tests/support/until.ts';

const MOCK = fileURLToPath(new URL('../../../src/commands/mock.ts', import.meta.url));

/** What `npm run mock` starts. */
async function startMock(port: number): Promise<string> {
  const args = [MOCK, '--port', String(port)];
  const child = reaped(spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  const ended = once(child, 'close');
  afterAll(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  await until('the mock listens', () => {
    if (child.exitCode !== null) throw new Error(`the mock did not start:\n${output}`);
    return output.includes('listening');
  });
  return `http://127.0.0.1:${port}`;
}

const url = await onFreePort(startMock);

const SOME_ID = '01939c5e-7a3b-7c41-9f0e-3d5b8a1c2e4f';
/** What stands in a path and is no UUID. */
const IN_PATHS: Readonly<Record<string, string>> = {
  date: '2027-05-01',
  deliveryId: '4711',
  seatNumber: '7',
  kind: 'reservations',
};
const credentials = {
  authorization: 'Bearer token',
  'queue-token': 'token',
  'idempotency-key': 'order-1',
  'content-type': 'application/json',
};

/** The first, where there are several. */
function exampleOf({ example, examples = {} }: Media): unknown {
  const [first] = Object.values(examples) as { readonly value: unknown }[];
  return example ?? first?.value;
}

describe('the mock API', () => {
  const calls = operations.map(
    ({ template, method, operation }) => [method.toUpperCase(), template, operation] as const,
  );

  test.each(calls)('answers %s %s with an example of the document', async (method, template, operation) => {
    const path = template.replace(/\{(\w+)\}/g, (_, name) => IN_PATHS[name] ?? SOME_ID);
    const [requested] = Object.values(operation.requestBody?.content ?? {});
    const response = await fetch(`${url}${path}`, {
      method,
      headers: credentials,
      ...(requested === undefined ? {} : { body: JSON.stringify(exampleOf(requested)) }),
    });
    const [expected = '', documented] = Object.entries(operation.responses)[0] ?? [];
    expect(response.status).toBe(Number(expected));
    const [[type, media] = []] = Object.entries(documented?.content ?? {});
    const body = await response.text();
    if (media === undefined) expect(body).toBe('');
    else expect(type === 'application/json' ? JSON.parse(body) : body).toEqual(exampleOf(media));
  });

  test.each([
    ['code=409', 409, 'seat-taken'],
    ['code=409, example=seat-limit-reached', 409, 'seat-limit-reached'],
    ['code=403', 403, 'not-admitted'],
    ['code=503, example=unavailable', 503, 'unavailable'],
  ])('refuses a reservation as Prefer: %s requests', async (prefer, status, code) => {
    const response = await fetch(`${url}/v1/reservations`, {
      method: 'POST',
      headers: { ...credentials, prefer },
      body: JSON.stringify({ date: '2027-05-01', seatNumbers: [7, 8] }),
    });
    const problem: unknown = await response.json();
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(problem).toEqual(contract.components.examples[code]?.value);
    const at = [
      'paths',
      '/v1/reservations',
      'post',
      'responses',
      String(status),
      'content',
      'application/problem+json',
    ];
    expect(faultsOf(problem, ...at, 'schema')).toEqual([]);
  });

  test('shows an active entry, as Prefer requests', async () => {
    const response = await fetch(`${url}/v1/queue`, { headers: { ...credentials, prefer: 'example=ACTIVE' } });
    expect(await response.json()).toMatchObject({ status: 'ACTIVE', expiresAt: expect.any(String) });
  });

  test('requires credentials as the service does', async () => {
    const response = await fetch(`${url}/v1/reservations`);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'unauthenticated' });
  });
});
