/** Does the work of a command and ends whatever it started, also when it is interrupted. Exits 1 where it failed. */
export async function runCommand(work: (ending: AsyncDisposableStack) => Promise<void>): Promise<void> {
  const interrupted = Promise.withResolvers<never>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.reject(new Error('interrupted; nothing is written')));
  }
  const ending = new AsyncDisposableStack();
  try {
    await Promise.race([work(ending), interrupted.promise]);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    await ending.disposeAsync();
    // Whatever was under way when it was interrupted.
    process.exit();
  }
}
