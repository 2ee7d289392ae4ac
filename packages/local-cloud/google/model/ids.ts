/** Returns a random numeric ID like Google's. */
export function numericId(): string {
  return String(Math.floor(Math.random() * 9e15) + 1e15);
}
