import { waitingRoomContract } from '#tests/contracts/waiting-room-contract.ts';
import { looseLines } from '#tests/fakes/loose-lines.ts';
import { memoryClock } from '#tests/fakes/memory-clock.ts';
import { memoryWaitingRoom } from '#tests/fakes/memory-waiting-room.ts';

waitingRoomContract(() => {
  const clock = memoryClock();
  return {
    waitingRoom: memoryWaitingRoom(clock, looseLines()),
    passes: async (_, milliseconds) => clock.advance(milliseconds),
  };
});
