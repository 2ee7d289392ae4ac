/** Interval in milliseconds at which a plugin checks whether the engine is still running. */
const parentCheckMs = 500;

/** Exits when the engine exits. A killed engine can't stop its plugins, which would otherwise run forever. */
export function endWithParent(): void {
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) process.exit(1);
  }, parentCheckMs).unref();
}
