import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** Sends these bytes and reads what comes back until the server closes: for what no HTTP client would send. */
export async function rawRequest(url: string, request: string): Promise<Response> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  // A server that has seen enough may close before it has read everything.
  socket.on('error', () => {});
  socket.write(request);
  const [head = '', ...body] = (await text(socket)).split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => line.split(/: ?(.*)/, 2) as [string, string]);
  return new Response(body.join('\r\n\r\n'), { status: Number(statusLine.split(' ')[1]), headers });
}
