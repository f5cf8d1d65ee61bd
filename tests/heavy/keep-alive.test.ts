import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Instance } from '#tests/support/instance.ts';
import { sharedWorld } from '#tests/support/world.ts';

/** A server tells its clients a minute or so. */
const LIMIT_MS = 600_000;
const LATE_SECONDS = 5;

const world = await sharedWorld();
const [instance] = world.instances as [Instance];

test(
  'a request that comes seconds after the told end of an idle connection is answered on it',
  async () => {
    const { hostname, port } = new URL(instance.url);
    const socket = connect(Number(port), hostname);
    const closed = once(socket, 'close');
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    const ask = async (): Promise<string> => {
      heard = '';
      socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n');
      await Promise.race([once(socket, 'data'), closed]);
      return heard;
    };

    const [, toldSeconds] = /^keep-alive: timeout=(\d+)/im.exec(await ask()) ?? [];
    await pause(1_000 * (Number(toldSeconds) + LATE_SECONDS));
    expect(await ask()).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
  },
  LIMIT_MS,
);
