// Main module of the process that pod-forward.ts starts. Arguments: PORT KUBECONFIG NAMESPACE LABEL=VALUE POD_PORT.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { forwardToPod } from "../../../lib/pod-forward.ts";

const [port = "", kubeconfig = "", namespace = "", label = "", podPort = ""] = process.argv.slice(2);
const [name = "", value = ""] = label.split("=");

const server = createServer({ pauseOnConnect: true }, (socket) => {
  socket.on("error", () => socket.destroy());
  // The kubeconfig is read for each connection, because a recreated cluster has other certificates.
  const forward = forwardToPod({
    kubeconfig: readFileSync(kubeconfig, "utf8"),
    namespace,
    podLabels: { [name]: value },
    port: Number(podPort),
    waitMs: 5_000,
  });
  forward(socket).then(
    () => socket.resume(),
    (error: unknown) => {
      console.error(String(error));
      socket.destroy();
    },
  );
});
server.on("error", (error) => {
  console.error(String(error));
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => process.send?.("ready"));
// An error of one connection must not end the others.
process.on("uncaughtException", (error) => {
  console.error(error);
});
process.on("unhandledRejection", (error) => {
  console.error(error);
});
