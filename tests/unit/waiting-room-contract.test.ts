import { waitingRoomContract } from '#tests/contracts/waiting-room-contract.ts';
import { memoryClock } from '#tests/fakes/memory-clock.ts';
import { memoryWaitingRoom } from '#tests/fakes/memory-waiting-room.ts';

waitingRoomContract(() => {
  const clock = memoryClock();
  return { waitingRoom: memoryWaitingRoom(clock), passes: async (_, milliseconds) => clock.advance(milliseconds) };
});
