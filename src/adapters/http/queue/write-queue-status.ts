import type { QueueEntry, QueueStatus } from '#domain/queue/queue.ts';

// Standings as the text of their answers: what the claim says of the place, then every other field as it is, times as RFC
// 3339 in UTC. Written past the serializer, because polls and joins come by ten thousands in a second, and checking our own
// answer against its schema each time takes an eighth of what a bare request does.

/** What never changes about a place, written once for as long as its claim is remembered. */
const placesWritten = new WeakMap<QueueEntry, string>();

/** The answer to a poll. */
export function writeStanding({ entry, ...queueStatus }: QueueStatus): string {
  let place = placesWritten.get(entry);
  if (place === undefined) {
    place = writePlace(entry);
    placesWritten.set(entry, place);
  }
  return join(place, queueStatus);
}

/** The answer to somebody who joins: with the token, and nothing to be remembered, for they come once. */
export function writeJoined({ entry, ...queueStatus }: QueueStatus, token: string): string {
  return join(writePlace(entry), { ...queueStatus, token });
}

function writePlace({ concertId, userId, sequence, joinedAt }: QueueEntry): string {
  return JSON.stringify({ concertId, userId, sequence, joinedAt });
}

/** Two JSON objects as one. */
function join(place: string, queueStatus: object): string {
  return `${place.slice(0, -1)},${JSON.stringify(queueStatus).slice(1)}`;
}
