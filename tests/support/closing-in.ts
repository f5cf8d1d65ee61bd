/**
 * How far off a deadline has to be for two to meet at it, on a machine of any speed: nearer after each command that came in
 * time, farther after each that came too late. So both happen.
 */
export function closingIn() {
  let milliseconds = 8;
  return {
    /** Negative when the deadline has just passed. */
    milliseconds: () => milliseconds,
    inTime() {
      milliseconds = Math.max(-1, milliseconds / 2 - 1);
    },
    tooLate() {
      milliseconds = Math.max(1, milliseconds * 2);
    },
  };
}
