import fc from 'fast-check';

// What a JSON schema of the document allows, what it nearly allows, and anything at all.

/** Of JSON Schema, what the document uses. */
export type Schema = {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
};

/** Stands for something that whoever sends the request has come by, until it is sent. */
export type Known = { readonly known: string; readonly back: number; readonly whose: Whose; readonly instead: unknown };
type Whose = 'own' | 'of another' | 'nobody’s';

const isKnown = (value: unknown): value is Known => typeof value === 'object' && value !== null && 'known' in value;

/** What has a name that answers use: an id, a date of a concert, where somebody listens. */
export const namesSomethingKnown = (name: string) => /(^i|I)d$|^date$|^cursor$|^url$/.test(name);

const SMALL = 300;
const LATEST = 9_007_199_254_740_991;
const EXTRA_ITEMS = 3;

/** What fulfils the schema; under a name that answers use, as a rule something that was answered. */
export function valid(schema: Schema, name = ''): fc.Arbitrary<unknown> {
  const made = fulfilling(schema);
  if (!namesSomethingKnown(name)) return made;
  const whose = fc.oneof(
    { weight: 12, arbitrary: fc.constant<Whose>('own') },
    { weight: 2, arbitrary: fc.constant<Whose>('of another') },
    { weight: 1, arbitrary: fc.constant<Whose>('nobody’s') },
  );
  // Mostly the latest: that is what people go on with.
  const back = fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 3, 7);
  // A cursor is never made up but by those who want to know what comes of it.
  const instead = name === 'cursor' ? fc.constant(undefined) : made;
  return fc.record({ known: fc.constant(name), back, whose, instead });
}

function fulfilling(schema: Schema): fc.Arbitrary<unknown> {
  const { type, enum: allowed, anyOf, oneOf } = schema;
  if (allowed !== undefined) return fc.constantFrom(...allowed);
  if ('const' in schema) return fc.constant(schema.const);
  const ways = anyOf ?? oneOf;
  if (ways !== undefined) return fc.oneof(...ways.map((way) => valid(way)));
  if (typeof type === 'object') return fc.oneof(...type.map((one) => valid({ ...schema, type: one })));
  switch (type) {
    case 'string':
      return text(schema);
    case 'integer':
    case 'number':
      return numbers(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return list(schema);
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const made = Object.entries(properties).map(([name, inner]) => [name, valid(inner, name)] as const);
      return fc.record(Object.fromEntries(made), { requiredKeys: required.filter((name) => name in properties) });
    }
    default:
      return fc.jsonValue();
  }
}

function text({ format, pattern, minLength = 0, maxLength = minLength + 30 }: Schema): fc.Arbitrary<string> {
  const time = fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  if (format === 'uuid') return fc.uuid();
  if (format === 'date') return time.map((at) => at.toISOString().slice(0, 10));
  if (format === 'date-time') return time.map((at) => at.toISOString());
  if (format === 'uri' || format === 'url') return fc.webUrl({ validSchemes: ['https'] });
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const lengths = { minLength, maxLength: Math.min(maxLength, minLength + 30) };
  return fc.oneof(fc.string({ ...lengths, unit: 'grapheme' }), fc.string({ ...lengths, unit: 'binary' }));
}

function numbers({ type, minimum = 0, maximum = LATEST }: Schema): fc.Arbitrary<number> {
  const whole = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: minimum, max: Math.min(maximum, minimum + SMALL) }) },
    { weight: 1, arbitrary: fc.integer({ min: minimum, max: maximum }) },
    { weight: 1, arbitrary: fc.constantFrom(minimum, maximum) },
  );
  return type === 'integer' ? whole : fc.oneof(whole, fc.double({ min: minimum, max: maximum, noNaN: true }));
}

function list({ items = {}, minItems = 0, maxItems = LATEST, uniqueItems = false }: Schema): fc.Arbitrary<unknown[]> {
  const lengths = { minLength: minItems, maxLength: Math.min(maxItems, minItems + EXTRA_ITEMS) };
  return uniqueItems ? fc.uniqueArray(valid(items), lengths) : fc.array(valid(items), lengths);
}

/** Text that stores do not take. */
const hurting = fc.constantFrom('\u0000', 'a\u0000b', '\ud800');
/** Text that has hurt others. */
const odd = fc.constantFrom(
  ...['', ' ', '\u202e', '\ufffe', '\n', '%00', '%', '%zz', '..%2f', "' OR 1=1 --", '{{7*7}}'],
  ...['null', 'NaN', '-0', '1e400', '0x10', '٣', '１２', 'true', '[object Object]', '__proto__', 'constructor'],
  ...['2026-02-30', '0000-00-00', '9999-12-31', '275760-09-13', '00000000-0000-0000-0000-000000000000'],
  ...['x'.repeat(300), '🎸'.repeat(60), '-'.repeat(5_000)],
);
export const sharp = fc.oneof(hurting, odd);
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 2, arbitrary: sharp },
  fc.string({ unit: 'binary' }),
  { weight: 2, arbitrary: fc.constantFrom(-1, 0, 0.5, -0, 1e21, 2 ** 31, 2 ** 53, -(2 ** 63), Number.MAX_VALUE) },
  fc.constantFrom(null, true, [], {}, [[]], [null], { __proto__: null }, { toString: 1 }),
  fc.jsonValue(),
);

/** The same, but for one place in it; as often as not one where there is text. */
export function nearly(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const how = fc.constantFrom('drop', 'replace', 'replace', 'replace', 'more', 'less', 'wrap', 'extra', 'again');
  const anywhere = fc
    .tuple(values, fc.nat(1_000), how, anything)
    .map(([value, at, how, other]) => changedAt(value, placesOf(value), at, { how, other }));
  const inText = fc
    .tuple(values, fc.nat(1_000), sharp)
    .map(([value, at, other]) => changedAt(value, textsOf(value), at, { how: 'replace', other }));
  return fc.oneof(anywhere, inText);
}

type Place = readonly (string | number)[];
type Slip = { readonly how: string; readonly other: unknown };

function placesOf(value: unknown, here: Place = []): Place[] {
  if (typeof value !== 'object' || value === null || isKnown(value)) return [here];
  return [here, ...Object.entries(value).flatMap(([name, inner]) => placesOf(inner, [...here, name]))];
}

/** Of no text: the whole. */
function textsOf(value: unknown): Place[] {
  const at = (place: Place) => place.reduce<unknown>((inner, next) => (inner as Record<string, unknown>)[next], value);
  const texts = placesOf(value).filter((place) => typeof at(place) === 'string');
  return texts.length === 0 ? [[]] : texts;
}

function changedAt(value: unknown, places: readonly Place[], at: number, slip: Slip): unknown {
  const change = (inner: unknown, [next, ...rest]: Place): unknown => {
    if (next === undefined) return slipped(inner, slip);
    const copy = (Array.isArray(inner) ? [...inner] : { ...(inner as object) }) as Record<string, unknown>;
    const changed = change(copy[next], rest);
    if (changed === DROPPED) delete copy[next];
    else copy[next] = changed;
    return copy;
  };
  const changed = change(value, places[at % places.length] ?? []);
  return changed === DROPPED ? undefined : changed;
}

const DROPPED = Symbol('dropped');

function slipped(value: unknown, { how, other }: Slip): unknown {
  if (how === 'drop') return DROPPED;
  if (how === 'wrap') return [value];
  if (how === 'again' && Array.isArray(value)) return [...value, ...value];
  if (how === 'extra' && typeof value === 'object' && value !== null && !isKnown(value))
    return { ...value, extra: other };
  if (how === 'more')
    return typeof value === 'number' ? value + 1e12 : typeof value === 'string' ? value.repeat(200) : other;
  if (how === 'less') return typeof value === 'number' ? -value - 0.5 : typeof value === 'string' ? '' : other;
  return other;
}

/** The value with everything that is known put in, by whoever knows it. */
export function withKnown(value: unknown, look: (known: Known) => unknown): unknown {
  if (isKnown(value)) return look(value);
  if (Array.isArray(value)) return value.map((inner) => withKnown(inner, look));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withKnown(inner, look)]));
}
