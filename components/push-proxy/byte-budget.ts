/**
 * A budget of bytes. Calls of `acquire` wait in FIFO order while the budget is exhausted. A size larger than the whole
 * budget is acquired when the budget is completely free.
 */
export class ByteBudget {
  private acquired = 0;
  private readonly queue: { size: number; resolve: () => void }[] = [];

  private readonly max: number;

  constructor(max: number) {
    this.max = max;
  }

  async acquire(size: number): Promise<void> {
    return new Promise((resolve) => {
      this.queue.push({ size, resolve });
      this.serveQueue();
    });
  }

  /** Acquires without waiting. @returns whether it succeeded */
  tryAcquire(size: number): boolean {
    if (this.queue.length > 0 || this.acquired + size > this.max) return false;
    this.acquired += size;
    return true;
  }

  release(size: number): void {
    this.acquired -= size;
    this.serveQueue();
  }

  private serveQueue(): void {
    for (;;) {
      const [next] = this.queue;
      if (next === undefined || (this.acquired > 0 && this.acquired + next.size > this.max)) return;
      this.acquired += next.size;
      this.queue.shift();
      next.resolve();
    }
  }
}
