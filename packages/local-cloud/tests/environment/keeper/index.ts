import { createServer } from "node:http";
import * as pulumi from "@pulumi/pulumi";

class Kept extends pulumi.CustomResource {
  constructor(name: string, args: { url: string }) {
    super("keeper:index:Kept", name, args);
  }
}

const config = new pulumi.Config();
const port = config.requireNumber("port");
const server = createServer((_request, response) => response.end("here"));
await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
// The server must not keep the program running: the server of the tunnel to Grafana (lib/tunnel.ts) doesn't either.
server.unref();

if (config.requireBoolean("keep")) new Kept("kept", { url: `http://127.0.0.1:${port}` });
