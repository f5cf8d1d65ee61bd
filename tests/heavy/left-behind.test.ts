import { leavesNothing } from '#tests/support/left-behind/leaves-nothing.ts';

leavesNothing('Ctrl-C', 'a test that fails', 'a test that times out');
