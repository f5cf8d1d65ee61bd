import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Connections on which nothing was ever sent, as load balancers open them ahead. Node does not count them as idle: it would
 * wait for their first request.
 *
 * @returns what hangs them up
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
