import { createHmac, timingSafeEqual } from 'node:crypto';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueClaim } from '#domain/queue.ts';

/** A key by its id. Tokens name the id, so that a new key can sign while old tokens stay good. */
export type SigningKey = { readonly id: string; readonly secret: string };

/** Makes queue tokens out of claims, and claims out of tokens; undefined if a token is not one of ours, unaltered. */
export type QueueTokens = {
  sign(claim: QueueClaim): string;
  verify(token: string): QueueClaim | undefined;
};

// user 16 bytes, concert 16, sequence 6, joined at (ms since 1970) 6, epoch 6.
const CLAIM_BYTES = 50;
const SEQUENCE_AT = 32;
const JOINED_AT = 38;
const EPOCH_AT = 44;
const TIME_BYTES = 6;

const TOKEN = /^([\w-]{1,16})\.([\w-]{67})\.([\w-]{43})$/;

/**
 * Compact tokens, `keyId.claim.signature`, about 115 characters. HMAC-SHA256, because the instances that check a token are
 * the ones that signed it, and a signature that others could check would cost ten times as much at every poll.
 * The same claim always gives the same token, so joining again answers the same token again.
 */
export function queueTokens(keys: readonly [SigningKey, ...SigningKey[]]): QueueTokens {
  const [current] = keys;
  const secrets = new Map(keys.map(({ id, secret }) => [id, secret]));
  const signature = (secret: string, signed: string) => createHmac('sha256', secret).update(signed).digest();

  return {
    sign(claim) {
      const signed = `${current.id}.${pack(claim).toString('base64url')}`;
      return `${signed}.${signature(current.secret, signed).toString('base64url')}`;
    },

    verify(token) {
      const [, keyId = '', payload = '', given = ''] = TOKEN.exec(token) ?? [];
      const secret = secrets.get(keyId);
      if (secret === undefined) return undefined;
      const expected = signature(secret, `${keyId}.${payload}`).toString('base64url');
      // As text: its 43 characters hold two bits more than the signature, so that other texts decode to the same bytes.
      return timingSafeEqual(Buffer.from(expected), Buffer.from(given))
        ? unpack(Buffer.from(payload, 'base64url'))
        : undefined;
    },
  };
}

function pack({ userId, concertId, sequence, joinedAt, epoch }: QueueClaim): Buffer {
  const bytes = Buffer.alloc(CLAIM_BYTES);
  bytes.write(userId.replaceAll('-', ''), 0, 'hex');
  bytes.write(concertId.replaceAll('-', ''), 16, 'hex');
  bytes.writeUIntBE(sequence, SEQUENCE_AT, TIME_BYTES);
  bytes.writeUIntBE(joinedAt.getTime(), JOINED_AT, TIME_BYTES);
  bytes.write(epoch, EPOCH_AT, 'base64url');
  return bytes;
}

function unpack(bytes: Buffer): QueueClaim {
  return {
    userId: userId(uuidAt(bytes, 0)),
    concertId: concertId(uuidAt(bytes, 16)),
    sequence: bytes.readUIntBE(SEQUENCE_AT, TIME_BYTES),
    joinedAt: new Date(bytes.readUIntBE(JOINED_AT, TIME_BYTES)),
    epoch: bytes.toString('base64url', EPOCH_AT, CLAIM_BYTES),
  };
}

function uuidAt(bytes: Buffer, offset: number): string {
  const hex = bytes.toString('hex', offset, offset + 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
