import { expect } from 'vitest';
import type { Code, Facts } from '#domain/errors.ts';

/** Expects work to be refused with this code, and with these facts as far as given. */
export async function expectRefusal<C extends Code>(
  work: Promise<unknown>,
  code: C,
  facts?: Partial<Facts<C>>,
): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: 'Refusal', code, ...(facts === undefined ? {} : { facts }) });
}
