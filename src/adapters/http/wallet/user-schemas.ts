import { z } from 'zod';
import { currency, example, id, instant, money, named, story } from '#adapters/http/openapi/schema-parts.ts';
import { pageOf } from '#adapters/http/paging.ts';

// The shapes of users and their balances.

export const userParams = z.object({ userId: id(story.user) });

export const chargeBody = example(
  z.object({ amount: example(z.int().describe("In the currency's smallest unit; more than 0"), 150_000) }),
  { amount: 150_000 },
);

export const user = named(
  'User',
  z.object({
    userId: id(story.user),
    accessToken: z.string().describe('Send it as Authorization: Bearer'),
    expiresAt: instant('2026-11-21T09:29:58.000Z'),
  }),
  {
    userId: story.user,
    accessToken: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIwMTkzOWM1ZS03YTNiLTdjNDEtOWYwZS0zZDViOGExYzJlNGYifQ.c2lnbmF0dXJl',
    expiresAt: '2026-11-21T09:29:58.000Z',
  },
);

export const balance = named('Balance', z.object({ userId: id(story.user), balance: money(150_000), currency }), {
  userId: story.user,
  balance: 150_000,
  currency: 'KRW',
});

const charged = {
  chargeId: story.charge,
  userId: story.user,
  amount: 150_000,
  balance: 150_000,
  currency: 'KRW',
  chargedAt: story.chargedAt,
};

export const charge = named(
  'Charge',
  z.object({
    chargeId: id(charged.chargeId),
    userId: id(charged.userId),
    amount: money(charged.amount),
    balance: money(charged.balance, 'After this charge'),
    currency,
    chargedAt: instant(charged.chargedAt),
  }),
  charged,
);

const purchased = {
  entryId: '1205',
  kind: 'PURCHASE' as const,
  transactionId: story.payment,
  amount: -100_000,
  balance: 50_000,
  currency: 'KRW',
  recordedAt: story.paidAt,
};

const toppedUp = {
  entryId: '1204',
  kind: 'CHARGE' as const,
  transactionId: story.charge,
  amount: 150_000,
  balance: 150_000,
  currency: 'KRW',
  recordedAt: story.chargedAt,
};

const entry = named(
  'LedgerEntry',
  z.object({
    entryId: example(z.string(), purchased.entryId),
    kind: z.enum(['CHARGE', 'PURCHASE', 'REFUND']),
    transactionId: id(purchased.transactionId).describe('The charge, the payment or the refund'),
    amount: example(z.int().describe('Positive in, negative out'), purchased.amount),
    balance: money(purchased.balance, 'After this entry'),
    currency,
    recordedAt: instant(purchased.recordedAt),
  }),
  purchased,
);

export const entryPage = pageOf('LedgerPage', entry, purchased, toppedUp);
