import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signedHeaders } from '#adapters/webhooks/signature.ts';

/** The test vector that the reference libraries of Standard Webhooks share. */
const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  messageId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  sentAt: new Date(1_614_265_330_000),
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

describe('a signature', () => {
  it('is the one of the published test vector', () => {
    const { secret, signature, ...message } = VECTOR;
    expect(signedHeaders({ ...message, secrets: [secret] })).toEqual({
      'webhook-id': message.messageId,
      'webhook-timestamp': '1614265330',
      'webhook-signature': signature,
    });
  });

  it('is over id, seconds and body, by the bytes of the secret, whatever the letters of the body', () => {
    const key = randomBytes(32);
    const body = '{"title":"봄 콘서트 – 2027"}';
    const sentAt = new Date(1_795_167_285_999);
    const headers = signedHeaders({
      ...{ messageId: 'evt_1_2', sentAt, body },
      secrets: [`whsec_${key.toString('base64')}`],
    });
    const mac = createHmac('sha256', key);
    mac.update('evt_1_2').update('.').update('1795167285').update('.').update(Buffer.from(body, 'utf8'));
    expect(headers['webhook-signature']).toBe(`v1,${mac.digest('base64')}`);
  });

  it('is made with each secret while they are changed, the new one first', () => {
    const { secret, signature, ...message } = VECTOR;
    const fresh = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const alone = signedHeaders({ ...message, secrets: [fresh] })['webhook-signature'];
    const both = signedHeaders({ ...message, secrets: [fresh, secret] })['webhook-signature'];
    expect(both).toBe(`${alone} ${signature}`);
  });
});
