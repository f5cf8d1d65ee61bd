import { describe, expect, it } from 'vitest';
import { userId } from '#domain/ids.ts';
import { expectRefusal } from '#tests/contracts/expect-refusal.ts';
import { memoryWorld } from '#tests/fakes/memory-ports.ts';
import { chargeBalance } from '#use-cases/wallet/charge-balance.ts';
import { registerUser } from '#use-cases/wallet/register-user.ts';

describe('registering', () => {
  it('creates a new user with an empty wallet each time', async () => {
    const { ports } = memoryWorld();
    const [one, two] = [await registerUser(ports, { currency: 'KRW' }), await registerUser(ports, { currency: 'EUR' })];
    expect(one).not.toBe(two);
    expect(await ports.wallets.find(one)).toEqual({ userId: one, balance: 0, currency: 'KRW' });
    expect(await ports.wallets.find(two)).toEqual({ userId: two, balance: 0, currency: 'EUR' });
  });
});

describe('charging', () => {
  const { chargeMin, chargeMax, balanceMax } = memoryWorld().ports.walletLimits;

  it('adds the amount, once per request', async () => {
    const { ports, user } = memoryWorld();
    const id = await user(100);
    const input = { amount: 50, request: { userId: id, key: 'k', fingerprint: 'f' } };
    const { answer } = await chargeBalance(ports, input);
    expect(answer).toMatchObject({ userId: id, amount: 50, balance: 150 });
    expect(await chargeBalance(ports, input)).toEqual({ answer, replayed: true });
    expect(await ports.wallets.find(id)).toMatchObject({ balance: 150 });
  });

  it('accepts both bounds', async () => {
    const { ports, user } = memoryWorld();
    const id = await user();
    for (const [key, amount] of Object.entries({ min: chargeMin, max: chargeMax })) {
      await chargeBalance(ports, { amount, request: { userId: id, key, fingerprint: 'f' } });
    }
    expect(await ports.wallets.find(id)).toMatchObject({ balance: chargeMin + chargeMax });
  });

  it.each([-1, 0, chargeMin - 1, chargeMax + 1, Number.MAX_SAFE_INTEGER])('refuses %d', async (amount) => {
    const { ports, user } = memoryWorld();
    const id = await user();
    const request = { userId: id, key: 'k', fingerprint: 'f' };
    await expectRefusal(chargeBalance(ports, { amount, request }), 'amount-out-of-range', {
      min: chargeMin,
      max: chargeMax,
    });
    expect(await ports.wallets.find(id)).toMatchObject({ balance: 0 });
  });

  it('is refused beyond the limit of the balance, and to unknown users', async () => {
    const { ports, user } = memoryWorld();
    const id = await user(balanceMax - 10);
    const request = { userId: id, key: 'k', fingerprint: 'f' };
    await expectRefusal(chargeBalance(ports, { amount: 11, request }), 'amount-out-of-range', { max: 10 });
    expect(await ports.wallets.find(id)).toMatchObject({ balance: balanceMax - 10 });
    const stranger = { ...request, userId: userId('01939c5e-0000-7000-8000-00000000dead') };
    await expectRefusal(chargeBalance(ports, { amount: 11, request: stranger }), 'user-not-found');
  });
});
