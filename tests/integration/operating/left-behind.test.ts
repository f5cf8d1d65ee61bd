import { leavesNothing } from '#tests/support/left-behind/leaves-nothing.ts';

// The other ways in which a run may end are in `tests/heavy/left-behind.test.ts`.
leavesNothing('SIGKILL');
