/** How often a plugin looks whether the engine that started it is still there. */
const parentCheckMs = 500;

/** An engine that was killed can't tell its plugins: without this they would live for ever. */
export function endWithParent(): void {
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) process.exit(1);
  }, parentCheckMs).unref();
}
