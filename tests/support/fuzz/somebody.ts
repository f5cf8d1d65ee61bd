import type { Found } from '#tests/support/contract.ts';
import type { Plan } from './requests.ts';
import { type Known, namesSomethingKnown, withKnown } from './values.ts';

/** Who sends requests, and what they have come by. */
export type Somebody = {
  readonly name: string;
  /** With what they prove who they are; which of them a call needs, the document says. */
  readonly credentials: { accessToken?: string; queueToken?: string; adminKey?: string };
  /** What answers told them, by name, the latest last. */
  readonly known: Map<string, unknown[]>;
  /** Names of which they know all from the start. */
  readonly settled: readonly string[];
  /** What nobody else is to be told. */
  readonly secrets: Set<string>;
};

/** A request as it is sent. */
export type Asked = {
  readonly found: Found;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The body before it was text, if it is JSON and says so. */
  readonly json?: unknown;
  /** Whose credentials are with it. */
  readonly speakers: readonly Somebody[];
};

export function somebody(
  name: string,
  credentials: Somebody['credentials'],
  knows: Readonly<Record<string, readonly unknown[]>>,
): Somebody {
  const known = new Map(Object.entries(knows).map(([key, values]) => [key, [...values]]));
  return { name, credentials, known, settled: Object.keys(knows), secrets: new Set() };
}

/** What the plan comes to if this person carries it out, with somebody else's things mixed in where it says so. */
export function asked(plan: Plan, me: Somebody, another: Somebody): Asked {
  const look = ({ known, back, whose, instead }: Known) => {
    if (whose === 'nobody’s') return withKnown(instead, look);
    const values = (whose === 'own' ? me : another).known.get(known) ?? [];
    return values.at(-1 - (back % Math.max(1, values.length))) ?? withKnown(instead, look);
  };
  const { headers, speakers } = credentialsOf(plan, me, another);
  for (const [name, value] of Object.entries(plan.headers)) headers[name] = asHeader(withKnown(value, look));

  const inPath = withKnown(plan.path, look) as Record<string, unknown>;
  const path = plan.found.template.replace(/\{(\w+)\}/g, (_, name: string) => inUrl(inPath[name]));
  const query = Object.entries(withKnown(plan.query, look) as object)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${inUrl(value)}`);
  const url = query.length === 0 ? path : `${path}?${query.join('&')}`;
  const { body } = plan;
  const sent = { found: plan.found, method: plan.method, path: url, headers, speakers };
  if (body.kind === 'none') return sent;
  if (body.type !== undefined) headers['Content-Type'] = body.type;
  if (body.kind === 'text') return { ...sent, body: body.text };
  const json = withKnown(body.value, look);
  return { ...sent, body: JSON.stringify(json) ?? '', json };
}

function credentialsOf({ found, credentials }: Plan, me: Somebody, another: Somebody) {
  const headers: Record<string, string> = {};
  const speakers: Somebody[] = [];
  const ways = new Set((found.operation.security ?? []).flatMap((way) => Object.keys(way)));

  function show(header: string, what: keyof Somebody['credentials'], as: Plan['credentials']['access']): void {
    if (as === 'none') return;
    const who = as === 'of another' ? another : me;
    const token = as === 'broken' ? credentials.broken : who.credentials[what];
    if (token === undefined) return;
    if (as !== 'broken') speakers.push(who);
    headers[header] = header === 'Authorization' ? `Bearer ${token}` : token;
  }
  if (ways.has('accessToken')) show('Authorization', 'accessToken', credentials.access);
  if (ways.has('adminKey')) show('Authorization', 'adminKey', credentials.access);
  if (ways.has('queueToken')) show('Queue-Token', 'queueToken', credentials.place);
  return { headers, speakers };
}

/** What is escaped already, or wrongly, goes as it is. */
function inUrl(value: unknown): string {
  const text = String(value).toWellFormed();
  return /^[\w.%-]*$/.test(text) ? text : encodeURIComponent(text);
}

const asHeader = (value: unknown) => String(value).replace(/[^ -~\xa0-\xff]/g, '?');

/** Money beyond this is some user's, and no price. */
const MARKED_AMOUNT = 100_000_000;
/** A number that counts entries is found in any text. */
const SECRET_LENGTH_MIN = 16;

/** Takes in what an answer told. */
export function learn(me: Somebody, found: Found, answer: unknown): void {
  if (typeof answer !== 'object' || answer === null) return;
  for (const [name, value] of Object.entries(answer)) {
    if (typeof value === 'object') learn(me, found, value);
    if (typeof value === 'number' && value > MARKED_AMOUNT && /^(balance|amount)$/.test(name))
      me.secrets.add(String(value));
    if (typeof value !== 'string') continue;
    if (name === 'token' && found.operation.operationId?.startsWith('join')) me.credentials.queueToken = value;
    if (me.settled.includes(name)) continue;
    if (/(^t|T)oken$|Id$/.test(name) && value.length >= SECRET_LENGTH_MIN) me.secrets.add(value);
    const as = name === 'nextCursor' ? 'cursor' : name;
    const values = me.known.get(as) ?? [];
    // What is told again is no newer for that.
    if (namesSomethingKnown(as) && !values.includes(value)) me.known.set(as, [...values, value]);
  }
}
