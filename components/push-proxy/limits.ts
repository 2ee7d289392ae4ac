/**
 * Maximum time for which a push waits for the Pushgateway, in seconds, in the push queue and the push proxy together.
 * The longest wait is for a node that is lost permanently: 50 s until Kubernetes detects it, 60 s until it deletes the
 * pod (components/push-gateway.ts), 6 minutes until it detaches the disk, and the start of a new pod.
 */
export const MAX_HOLD_SECONDS = 900;

/** Time for which the push queue waits for the push proxy's response to one attempt, in seconds. */
export const ATTEMPT_TIMEOUT_SECONDS = 120;

/** Seconds that an upload may take, in addition to one second for each MIN_UPLOAD_BYTES_PER_SECOND bytes received. */
export const UPLOAD_GRACE_SECONDS = 10;
export const MIN_UPLOAD_BYTES_PER_SECOND = 64 * 2 ** 10;

/** Header with the time at which the push queue received a push, in seconds since 1970. */
export const RECEIVED_HEADER = "x-push-received";

/**
 * Returns whether a push has waited longer than MAX_HOLD_SECONDS. Returns false if `received`, the value of the push
 * queue's RECEIVED_HEADER, is undefined.
 */
export function isHeldTooLong(received: string | string[] | undefined, nowMs = Date.now()): boolean {
  const seconds = Number(received ?? Number.NaN);
  return nowMs / 1000 - seconds > MAX_HOLD_SECONDS;
}
