import { lruCache } from '#adapters/memory/lru-cache.ts';
import { concertId, userId } from '#domain/ids.ts';
import type { QueueEntry } from '#domain/queue/queue.ts';
import { hmacSha256 } from './hmac.ts';

/** Tokens name the id of their key, so that keys can be rotated while old tokens stay valid. */
export type SigningKey = { readonly id: string; readonly secret: string };

/** Signs payloads into queue tokens. `verify` returns the payload of a genuine token, and undefined for any other. */
export type QueueTokens = {
  sign(entry: QueueEntry): string;
  verify(token: string): QueueEntry | undefined;
};

// user 16 bytes, concert 16, sequence 6, joined at (ms since 1970) 6, epoch 6.
const PAYLOAD_BYTES = 50;
const SEQUENCE_AT = 32;
const JOINED_AT = 38;
const EPOCH_AT = 44;
const TIME_BYTES = 6;

/** About 30 megabytes. Beyond this size, entries are evicted, and their next poll verifies the signature again. */
const VERIFIED_MAX = 65_536;

const TOKEN = /^([\w-]{1,16})\.([\w-]{67})\.([\w-]{43})$/;

/**
 * Compact tokens, `keyId.payload.signature`, about 115 characters. HMAC-SHA256, because the instances that verify a token
 * are those that signed it; a public-key signature costs ten times as much. Equal payloads give equal tokens, so joining
 * again returns the same token.
 *
 * Verified payloads are cached by the whole token, signature included: a client polls with the same token again and again.
 */
export function queueTokens(keys: readonly [SigningKey, ...SigningKey[]]): QueueTokens {
  const [{ id: currentId, secret: currentSecret }] = keys;
  const current = hmacSha256(currentSecret);
  const signers = new Map(keys.map(({ id, secret }) => [id, hmacSha256(secret)]));
  const verified = lruCache<QueueEntry>(VERIFIED_MAX);

  function check(token: string): QueueEntry | undefined {
    const [, keyId = '', payload = '', signature = ''] = TOKEN.exec(token) ?? [];
    const genuine = signers.get(keyId)?.isGenuine(`${keyId}.${payload}`, signature) ?? false;
    return genuine ? unpack(Buffer.from(payload, 'base64url')) : undefined;
  }

  return {
    sign(entry) {
      const signed = `${currentId}.${pack(entry).toString('base64url')}`;
      return `${signed}.${current.sign(signed)}`;
    },

    verify(token) {
      const known = verified.get(token);
      if (known !== undefined) return known;
      const entry = check(token);
      if (entry !== undefined) verified.set(token, entry);
      return entry;
    },
  };
}

function pack({ userId, concertId, sequence, joinedAt, epoch }: QueueEntry): Buffer {
  const bytes = Buffer.alloc(PAYLOAD_BYTES);
  bytes.write(userId.replaceAll('-', ''), 0, 'hex');
  bytes.write(concertId.replaceAll('-', ''), 16, 'hex');
  bytes.writeUIntBE(sequence, SEQUENCE_AT, TIME_BYTES);
  bytes.writeUIntBE(joinedAt.getTime(), JOINED_AT, TIME_BYTES);
  bytes.write(epoch, EPOCH_AT, 'base64url');
  return bytes;
}

function unpack(bytes: Buffer): QueueEntry {
  return {
    userId: userId(uuidAt(bytes, 0)),
    concertId: concertId(uuidAt(bytes, 16)),
    sequence: bytes.readUIntBE(SEQUENCE_AT, TIME_BYTES),
    joinedAt: new Date(bytes.readUIntBE(JOINED_AT, TIME_BYTES)),
    epoch: bytes.toString('base64url', EPOCH_AT, PAYLOAD_BYTES),
  };
}

function uuidAt(bytes: Buffer, offset: number): string {
  const hex = bytes.toString('hex', offset, offset + 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
