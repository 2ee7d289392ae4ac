import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";

export interface Request {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

export interface Response {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A server on 127.0.0.1 with its keep-alive connections. */
export interface Upstream {
  host: string;
  port: number;
  agent: Agent;
}

/** Thrown if a response takes longer than the timeout. */
export class TimeoutError extends Error {}

/** Thrown if a response is larger than the limit. */
export class TooLargeError extends Error {}

export function upstream(port: number): Upstream {
  return { host: "127.0.0.1", port, agent: new Agent({ keepAlive: true }) };
}

/** Returns a plain-text response. */
export function textResponse(status: number, text: string): Response {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body: Buffer.from(`${text}\n`) };
}

/**
 * Sends a request and passes the response's body to `onChunk`.
 *
 * @param timeoutMs - timeout of the whole exchange in ms
 * @returns the response without its body
 * @throws TimeoutError, or the connection's error
 */
export async function stream(
  to: Upstream,
  { method, path, headers, body }: Request,
  timeoutMs: number,
  onChunk: (chunk: Buffer) => void,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      ...to,
      method,
      path,
      headers: { ...headers, "content-length": body.length },
    });
    const timer = setTimeout(() => {
      sent.destroy(new TimeoutError(`no response after ${timeoutMs / 1000} s`));
    }, timeoutMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      sent.destroy();
      reject(error);
    };
    sent.on("error", fail);
    sent.on("response", (response) => {
      response.on("error", fail);
      response.on("data", (chunk: Buffer) => {
        try {
          onChunk(chunk);
        } catch (error) {
          fail(error as Error);
        }
      });
      response.on("end", () => {
        clearTimeout(timer);
        resolve(response);
      });
    });
    sent.end(body);
  });
}

/**
 * Sends a request and reads its response.
 *
 * @param maxBytes - maximum bytes of the response. Default: no limit
 * @throws TimeoutError, TooLargeError, or the connection's error
 */
export async function send(
  to: Upstream,
  request: Request,
  timeoutMs: number,
  maxBytes = Infinity,
): Promise<Response> {
  const chunks: Buffer[] = [];
  let length = 0;
  const { statusCode = 502, headers } = await stream(to, request, timeoutMs, (chunk) => {
    length += chunk.length;
    if (length > maxBytes) throw new TooLargeError(`the response has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  });
  return { status: statusCode, headers, body: Buffer.concat(chunks) };
}
