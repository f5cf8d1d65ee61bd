import { Agent } from 'node:http';
import fc from 'fast-check';
import { afterAll, expect } from 'vitest';
import { contradictions } from '#tests/support/books.ts';
import { apiClient, type Client } from '#tests/support/client/client.ts';
import { type Found, operationOf, operations } from '#tests/support/contract.ts';
import { type Call, contractClient, type Reply } from '#tests/support/contract-client.ts';
import { DATE } from '#tests/support/hall.ts';
import { ADMIN_KEY } from '#tests/support/instance.ts';
import { ownRedis } from '#tests/support/own-redis.ts';
import { type Receiver, startReceiver } from '#tests/support/receiver.ts';
import { until } from '#tests/support/until.ts';
import { letIn, startWorld, type World } from '#tests/support/world.ts';
import { ask } from './ask.ts';
import { type Plan, plans } from './requests.ts';
import { asked, learn, type Somebody, somebody } from './somebody.ts';

const FAULTS_SHOWN_MAX = 20;
/** So many requests of somebody until they have something new to go on with; and what a fan holds then. */
const [RENEW_EVERY, HOLDS] = [40, 3];
/** One in ten succeeds, of what hangs together the most. */
const [AGAIN_MAX, AGAIN_AT_ONCE] = [400, 20];

/** What is asked, and the endpoint that it sends webhooks to. */
export type Target = {
  readonly world: World;
  readonly url: string;
  readonly call: Call;
  readonly agent: Agent;
  readonly shop: Receiver;
};

/** Called at the top of a test file, where hooks are registered. */
export async function startTarget(): Promise<Target> {
  const shop = await startReceiver();
  // A Redis of its own: there is one stream of events per server, and the relays of other databases would get ahead of ours.
  const { url: redisUrl } = await ownRedis();
  const world = await startWorld({ instances: 1, redisUrl });
  const url = world.instances[0]?.url ?? '';
  const agent = new Agent({ keepAlive: true });
  afterAll(() => agent.destroy());
  return { world, url, call: contractClient(url), agent, shop };
}

const isAdmin = ({ operation: { security = [] } }: Found) => security.some((way) => 'adminKey' in way);

/** People who have money that nobody else has the like of, and have begun to book; and an operator. */
async function everybodyThere(target: Target): Promise<Somebody[]> {
  const { world, shop } = target;
  const halls = [
    await world.openHall({ seats: 3_000, seatsPerUserMax: 1_000 }),
    await world.openHall({ seats: 1_000 }),
  ];
  const fans = await Promise.all(
    [1, 2, 3].map((one) => world.fan({ balance: one * 300_000_000 + Math.floor(Math.random() * 90_000_000) })),
  );
  await letIn(fans, halls[0] as (typeof halls)[0]);
  const users = await Promise.all(
    fans.map(async (fan, index) => {
      const { userId, accessToken, token } = fan;
      const knows = { userId: [userId], concertId: [halls[1], halls[0], halls[0], halls[0]], date: [DATE] };
      const one = somebody(`fan ${index + 1}`, { accessToken, queueToken: token }, knows);
      for (const secret of [userId, accessToken, token, String(await fan.balance())]) one.secrets.add(secret);
      return one;
    }),
  );
  const rows = [{ row: 'A', seats: [{ first: 1, last: 30, grade: 'R' }] }];
  const seatPlan = { version: 1, grades: [{ grade: 'R', price: 1_000 }], sections: [{ section: 'Stalls', rows }] };
  const planned = await concertOf(target, {}, { seatPlan });
  const plain = await concertOf(target, { seats: [{ first: 1, last: 1_000, price: 1_000 }] }, {});
  const knows = { concertId: [plain, planned, plain], date: [DATE], url: [shop.url] };
  const operator = somebody('the operator', { adminKey: ADMIN_KEY }, knows);
  return [...users, operator];
}

/** A concert on which an operator may try everything, by a seat plan or without. */
async function concertOf({ call }: Target, seats: object, more: object): Promise<string> {
  const { body } = await call('POST', '/v1/admin/concerts', {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    body: {
      ...{ title: 'One to try', venue: 'A hall', salesOpenAt: '2020-01-01T00:00:00.000Z', ...more },
      dates: [{ date: DATE, startsAt: `${DATE}T10:00:00.000Z`, ...seats }],
    },
  });
  return (body as { concertId: string }).concertId;
}

/**
 * Asks so much, made up from the document alone, valid and not, by several clients at once. Whatever is asked, the answer is
 * one that the document has for it, tells nobody of anybody else, and each operation succeeds at least once. The seed decides
 * what is asked, though ids and who is faster are others each time.
 */
export async function askAtRandom(
  target: Target,
  { seed, requests }: { readonly seed: number; readonly requests: number },
): Promise<void> {
  const { world, url, agent } = target;
  const everybody = await everybodyThere(target);
  const fans = everybody.filter(({ credentials }) => credentials.adminKey === undefined);
  const seen = new Map<string, Map<number, number>>();
  /** What was answered with success. */
  const done = new Set<Found>();
  /** One of each kind for each operation: the rest would say no more. */
  const faults = new Map<string, string>();

  /** @param index of the request, of those that this person sends */
  async function send(plan: Plan, me: Somebody, index: number): Promise<void> {
    const operator = me.credentials.adminKey !== undefined;
    if (index % RENEW_EVERY === 0) await (operator ? listenAgain(target, me) : bookAgain(target, me));
    // An operator with a hold of other people's concerts would close them.
    const another = operator ? me : (fans[(fans.indexOf(me) + 1) % fans.length] as Somebody);
    const sent = asked(plan, me, another);
    const { status, body, faults: found } = await ask(url, agent, sent, everybody);
    const operationId = nameOf(plan.found);
    const statuses = seen.get(operationId) ?? new Map<number, number>();
    seen.set(operationId, statuses.set(status, (statuses.get(status) ?? 0) + 1));
    // Now and then another method is tried than the operation's.
    if (sent.method.toLowerCase() === plan.found.method.toLowerCase() && status < 300) done.add(plan.found);
    const alone = sent.speakers.every((one) => one === me);
    if (alone && codeOf(body) === 'session-expired') await enterAgain(target, me);
    if (alone && status < 300) learn(me, plan.found, body);
    const request = `${sent.method} ${sent.path} ${JSON.stringify(sent.headers)} ${sent.body ?? ''}`.slice(0, 700);
    for (const fault of found) {
      faults.set(`${operationId} ${fault.slice(0, 60)}`, `${fault}\n  request ${index} of ${me.name}: ${request}`);
    }
  }

  async function requestsOf(me: Somebody, lane: number): Promise<void> {
    const operator = me.credentials.adminKey !== undefined;
    // Either has nothing to do with most of what is for the other.
    const mine = operations.filter((found) => isAdmin(found) === operator);
    const theirs = operations.filter((found) => isAdmin(found) !== operator);
    const lanes = fc.oneof({ weight: 12, arbitrary: plans(mine) }, { weight: 1, arbitrary: plans(theirs) });
    const numRuns = Math.ceil(requests / everybody.length);
    for (const [index, plan] of fc.sample(lanes, { seed: seed + lane, numRuns }).entries()) await send(plan, me, index);
  }
  await Promise.all(everybody.map(requestsOf));

  // What chance did not let succeed is asked for again, and nothing else.
  let more: Plan[] = [];
  for (const found of operations.filter((found) => !done.has(found))) {
    const me = everybody.find(({ credentials }) => (credentials.adminKey !== undefined) === isAdmin(found)) as Somebody;
    for (let index = 0; index < AGAIN_MAX && !done.has(found); index++) {
      // As many as are likely to do: to make a request up takes longer than to send it.
      if (index % AGAIN_AT_ONCE === 0) more = fc.sample(plans([found]), { seed: seed + index, numRuns: AGAIN_AT_ONCE });
      await send(more[index % AGAIN_AT_ONCE] as Plan, me, index);
    }
  }

  process.stdout.write(`${tableOf(seed, seen)}\n`);
  expect([...faults.values()].slice(0, FAULTS_SHOWN_MAX).join('\n\n'), `${faults.size} faults`).toBe('');
  const neverDone = operations.filter((found) => !done.has(found)).map(nameOf);
  expect(neverDone, 'what was never once answered with success').toEqual([]);
  expect(await contradictions(world.pool)).toEqual([]);
  const failing = world.instances.flatMap((instance) => instance.log()).filter(({ job }) => job !== undefined);
  expect(failing, 'work that nobody asks for, and that what was asked made fail').toEqual([]);
}

const nameOf = ({ operation, method, template }: Found) => operation.operationId ?? `${method} ${template}`;

const codeOf = (body: unknown) => (body as { code?: string } | undefined)?.code;

/** Calls that take in what they are answered. */
const callAs =
  ({ call }: Target, me: Somebody): Call =>
  async (method, path, options) => {
    const reply = await call(method, path, options);
    learn(me, operationOf(method, path) as Found, reply.body);
    return reply;
  };

/** A session ends by paying and by leaving; without another there would be nothing to reserve or to pay. */
async function enterAgain(target: Target, me: Somebody): Promise<Client<Reply>> {
  const { accessToken = '' } = me.credentials;
  const fan = apiClient(callAs(target, me), { userId: '', accessToken });
  await until('the client is active', async () => {
    // Meanwhile another client that has learned the token may leave with it.
    const { body } = await fan.join(String(me.known.get('concertId')?.at(-1)));
    return (body as { status: string }).status === 'ACTIVE';
  });
  return fan;
}

/** An endpoint that somebody listens at, and something that has arrived there: or what is asked about them would find them gone. */
async function listenAgain(target: Target, me: Somebody): Promise<void> {
  const call = callAs(target, me);
  const headers = { authorization: `Bearer ${me.credentials.adminKey}` };
  const operate = async (method: string, path: string, body?: unknown) => {
    const reply = await call(method, `/v1/admin/webhooks${path}`, { headers, body });
    return reply.body as { endpointId: string; deliveryId: string; state?: string };
  };
  const before = me.known.get('endpointId')?.at(-1);
  if (before !== undefined) await operate('DELETE', `/${before}`);
  const { endpointId } = await operate('POST', '', { url: target.shop.url, eventTypes: ['payment.refunded'] });
  const { deliveryId } = await operate('POST', `/${endpointId}/test`);
  await until('it has arrived', async () => {
    const { state } = await operate('GET', `/${endpointId}/deliveries/${deliveryId}`);
    return state === 'DELIVERED';
  });
}

/** Holds of today, and a payment: for the same reason. */
async function bookAgain(target: Target, me: Somebody): Promise<void> {
  const reserve = async (fan: Client<Reply>) =>
    (await fan.reserveBest({ quantity: 1 })).body as { reservationId?: string };
  const buyer = await enterAgain(target, me);
  await buyer.pay((await reserve(buyer)).reservationId ?? '');
  const holder = await enterAgain(target, me);
  for (let holds = 0; holds < HOLDS; holds++) await reserve(holder);
}

/** How often each operation was answered with what. */
function tableOf(seed: number, seen: ReadonlyMap<string, ReadonlyMap<number, number>>): string {
  const lines = [...seen].map(([id, statuses]) => {
    const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}×${count}`);
    return `  ${id.padEnd(24)} ${counts.join(' ')}`;
  });
  return [`seed ${seed}`, ...lines.toSorted()].join('\n');
}
