import { leavesNothing } from '#tests/support/left-behind/leaves-nothing.ts';

leavesNothing('SIGKILL', 'Ctrl-C', 'a test that fails', 'a test that times out');
