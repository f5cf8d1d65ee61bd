import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, inject } from 'vitest';
import { queueKey } from '#adapters/redis/keys.ts';
import type { ConcertId } from '#domain/ids.ts';
import { until } from './until.ts';

/**
 * The sequences of those who are let in, in the order in which Redis lets them in: MONITOR tells every command that it
 * executes, those inside scripts too.
 *
 * In plain text over a socket: ioredis fails when the first line comes in one packet with the reply to MONITOR, which on a
 * busy server it does.
 */
export async function watchAdmissions(concertId: ConcertId): Promise<readonly number[]> {
  const { hostname, port, username, password } = new URL(inject('redisUrl'));
  const socket = createConnection(Number(port || 6379), hostname);
  afterAll(() => socket.destroy());
  const login = password === '' ? '' : `AUTH ${username || 'default'} ${decodeURIComponent(password)}\r\n`;
  socket.write(`${login}MONITOR\r\n`);

  const sequences: number[] = [];
  const sessions = queueKey(concertId, 'sessions');
  const refusals: string[] = [];
  let accepted = 0;
  createInterface(socket).on('line', (line) => {
    if (line === '+OK') accepted++;
    if (line.startsWith('-')) refusals.push(line);
    // +1339518083.107412 [0 lua] "HSET" "key" "member" "number" "member" "number" …
    const [command = '', key, ...fields] = line.split('"').filter((_, index) => index % 2 === 1);
    if (command.toUpperCase() !== 'HSET' || key !== sessions) return;
    for (let at = 1; at < fields.length; at += 2) sequences.push(Number(fields[at]));
  });
  await until('Redis tells what it does', () => {
    if (refusals.length > 0) throw new Error(refusals.join());
    return accepted === (login === '' ? 1 : 2);
  });
  return sequences;
}
