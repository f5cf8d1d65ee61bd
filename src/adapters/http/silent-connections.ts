import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Tracks connections without a request, which load balancers open in advance. At shutdown, Node would wait for their first
 * request, because it does not count them as idle.
 *
 * @returns closes them
 */
export function silentConnections(server: Server): () => void {
  const all = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    all.add(socket);
    socket.once('close', () => all.delete(socket));
  });
  return () => {
    for (const socket of all) if (socket.bytesRead === 0) socket.destroy();
  };
}
