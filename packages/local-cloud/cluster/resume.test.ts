import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openCloud, type Cloud } from "../hosts/cloud.ts";
import { listNodes } from "./records/nodes.ts";
import { resumeCloud } from "./resume.ts";

/** A cloud in its own temporary directory, which is removed after the test. */
function cloud(): Cloud {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-resume-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  mkdirSync(path.join(dir, "nodes"));
  mkdirSync(path.join(dir, "cluster"));
  return {
    ...openCloud("unit-test"),
    dir,
    clusterDir: path.join(dir, "cluster"),
    pulumiHome: path.join(dir, "home"),
  };
}

test("rejects resuming a cloud while the Pulumi engine runs in it", async () => {
  const subject = cloud();
  const engine = spawn("sleep", ["1000"], { env: { PULUMI_HOME: subject.pulumiHome } });
  onTestFinished(() => {
    engine.kill("SIGKILL");
  });
  await once(engine, "spawn");
  await expect(resumeCloud(subject)).rejects.toThrow(
    `Pulumi is already running in local cloud "unit-test": process ${engine.pid}, sleep 1000. Wait until it ends`,
  );
});

test.each(["network.json", "cluster/cluster.json", "nodes/node-1.json"])(
  "fails on a corrupt %s instead of treating it as missing",
  async (name) => {
    const subject = cloud();
    const file = path.join(subject.dir, name);
    writeFileSync(file, '{"name":');
    await expect(resumeCloud(subject)).rejects.toThrow(`${file} is not valid JSON`);
  },
);

test("ignores the unfinished file of a node", async () => {
  const subject = cloud();
  writeFileSync(path.join(subject.dir, "nodes/node-1.json"), '{"name":"node-1"}');
  writeFileSync(path.join(subject.dir, "nodes/node-2.json.new"), '{"na');
  expect(await listNodes(subject)).toEqual([{ name: "node-1" }]);
});
