import { request } from "node:http";

export interface RawRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer;
}

export interface RawResponse {
  status: number;
  text: string;
  bytes: Buffer;
}

/** Sends a request on a new connection with an unchanged path, which fetch would normalize. */
export async function send(
  url: string,
  rawPath: string,
  { method = "PUT", headers = {}, body = Buffer.from("a_metric 1\n") }: RawRequest = {},
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, path: rawPath, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, text: bytes.toString(), bytes });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
