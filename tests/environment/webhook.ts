import { execa, type ResultPromise } from "execa";
import type { Cloud } from "../../local/cluster/index.ts";
import { ciHostCommand } from "../../local/sample.ts";

/** What Grafana sends to a webhook, as far as the tests look at it. */
export interface AlertMessage {
  status: "firing" | "resolved";
  alerts: {
    status: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    panelURL: string;
  }[];
}

/** An HTTP server that writes the body of each POST as a line, until nobody holds its input any more. */
const SERVER = `
require("node:http").createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => { console.log(body.replaceAll("\\n", " ")); response.end(); });
}).listen(Number(process.argv[1]), () => console.log("ready"));
process.stdin.on("end", () => process.exit()).resume();`;

/** A receiver of alerts on the CI machine, in the VPC. */
export class WebhookReceiver {
  readonly messages: AlertMessage[] = [];

  private constructor(private readonly server: ResultPromise) {}

  static async start(cloud: Cloud, port: number): Promise<WebhookReceiver> {
    const [file, ...args] = await ciHostCommand(cloud, ["node", "-e", SERVER, String(port)]);
    const server = execa(file, args, { lines: true, reject: false });
    const receiver = new WebhookReceiver(server);
    await new Promise<void>((resolve, reject) => {
      void (async () => {
        for await (const line of server) {
          if (line === "ready") resolve();
          else receiver.messages.push(JSON.parse(line) as AlertMessage);
        }
        reject(new Error(`The receiver of alerts ended: ${String((await server).stderr)}`));
      })().catch(reject);
    });
    return receiver;
  }

  stop(): void {
    this.server.stdin?.end();
  }
}
