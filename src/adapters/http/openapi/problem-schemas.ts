import { z } from 'zod';
import { problems, typeOf } from '#adapters/http/problems.ts';
import type { Code, Facts } from '#domain/errors.ts';

// The schema of each problem document, for the OpenAPI document only. Answers are not validated by it: a refusal that a
// route does not document must still reach the client.

const example = <T extends z.ZodType>(schema: T, value: z.output<T>) => schema.meta({ examples: [value] });

const money = (value: number) => example(z.int().min(0), value);
const seatNumbers = example(z.array(z.int().min(1)), [7]);
const waiting = z.object({ retryAfterSeconds: example(z.int().min(1).describe('As in Retry-After'), 1) });
const nothingMore = z.object({});

/** The facts of a refusal as JSON. */
type Written<T> = T extends undefined
  ? Record<string, never>
  : { [K in keyof T]: T[K] extends Date ? string : T[K] extends readonly (infer Item)[] ? Item[] : T[K] };

const facts = {
  'validation-failed': z.object({
    errors: example(z.array(z.object({ path: z.string(), message: z.string() })), [
      { path: 'body/seatNumbers', message: 'must not name a seat twice' },
    ]),
  }),
  'amount-out-of-range': z.object({ min: money(1), max: money(10_000_000) }),
  'idempotency-key-missing': nothingMore,
  'webhook-url-refused': z.object({
    reason: example(z.string(), '10.0.0.7 is not a public address'),
  }),
  unauthenticated: nothingMore,
  'queue-token-missing': nothingMore,
  'queue-token-invalid': nothingMore,
  'insufficient-balance': z.object({ required: money(100_000), balance: money(30_000) }),
  forbidden: nothingMore,
  'not-admitted': z.object({ position: example(z.exactOptional(z.int().min(1)), 42) }),
  'session-expired': nothingMore,
  'challenge-required': z.object({
    reason: example(z.enum(['missing', 'invalid', 'expired']).describe('What is wrong with the solution'), 'missing'),
  }),
  'join-refused': nothingMore,
  'sales-not-open': z.object({ opensAt: example(z.iso.datetime(), '2026-12-01T11:00:00.000Z') }),
  'sales-closed': nothingMore,
  'refund-closed': nothingMore,
  'route-not-found': nothingMore,
  'concert-not-found': nothingMore,
  'date-not-found': nothingMore,
  'seat-plan-not-found': nothingMore,
  'seat-not-found': z.object({ seatNumbers: example(seatNumbers, [51]) }),
  'reservation-not-found': nothingMore,
  'payment-not-found': nothingMore,
  'user-not-found': nothingMore,
  'webhook-not-found': nothingMore,
  'delivery-not-found': nothingMore,
  'seat-taken': z.object({ seatNumbers }),
  'no-adjacent-seats': z.object({ quantity: example(z.int().min(1), 4), left: example(z.int().min(0), 3) }),
  'seat-stranded': z.object({ seatNumbers: example(seatNumbers, [9]) }),
  'hold-limit-reached': z.object({ limit: example(z.int(), 30), withinSeconds: example(z.int(), 600) }),
  'seat-limit-reached': z.object({ limit: example(z.int(), 4), held: example(z.int(), 3) }),
  'already-paid': nothingMore,
  'already-cancelled': nothingMore,
  'reservation-not-held': nothingMore,
  'hold-at-ceiling': nothingMore,
  'webhook-limit-reached': z.object({ limit: example(z.int(), 50) }),
  'delivery-pending': nothingMore,
  'idempotency-key-in-use': nothingMore,
  'hold-expired': nothingMore,
  'body-too-large': nothingMore,
  'media-type-unsupported': nothingMore,
  'idempotency-key-reused': nothingMore,
  'rate-limited': waiting,
  'queue-full': waiting,
  busy: waiting,
  unavailable: waiting,
  internal: nothingMore,
} satisfies { readonly [C in Code]: z.ZodType<Written<Facts<C>>> };

const instance = example(z.string().describe('The id of the request'), '01939c63-0b52-7aa4-8d1c-6f2e9b7a4c30');

function problemSchema(code: Code) {
  const { status, title, detail } = problems[code];
  const shape = {
    type: z.literal(typeOf(code)).describe('The documentation of this code'),
    title: example(z.string(), title),
    status: z.literal(status),
    code: z.literal(code),
    detail: example(z.string(), detail),
    instance,
    ...facts[code].shape,
  };
  const whole = Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, exampleOf(schema)]));
  return z.object(shape).meta({ id: nameOf(code), description: title, examples: [whole] });
}

function exampleOf(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodLiteral) return schema.value;
  const { examples } = schema.meta() as { examples: readonly unknown[] };
  return examples[0];
}

/** `seat-taken` → `SeatTakenProblem`. */
function nameOf(code: Code): string {
  const words = code.split('-').map((word) => word[0]?.toUpperCase() + word.slice(1));
  return `${words.join('')}Problem`;
}

const codes = Object.keys(facts) as Code[];

/** The problem document of each code. */
export const problemSchemas = new Map(codes.map((code) => [code, problemSchema(code)] as const));
