import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ciHost, openCloud, removeCloud, runIn, type Cloud } from "k8sfv-local-cloud";
import { grafanaStandIn } from "k8sfv-local-cloud/grafana";
import { type Recipe, haproxyRecipe, nodeImage, prometheusRecipes, recipes } from "k8sfv-local-cloud/images";
import { startRegistry, type Registry } from "k8sfv-local-cloud/testing";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { images } from "../../versions.ts";
import { podOf, pidsOf } from "./pods.ts";
import { openTestStack, type TestStack } from "./stack.ts";

/**
 * Tests the whole environment with images that are pulled from a registry under the names in versions.ts, as with `npm
 * start -- --official-images`. The registry runs on 127.0.0.1 and contains the project's own images. Therefore this
 * test does not prove that the official images work. To test those, a computer needs access to their registries.
 */
describe("a local cloud with official images", () => {
  const name = "official";
  let registry: Registry;
  let stack: TestStack;

  beforeAll(async () => {
    const toolchain = await ensureToolchain();
    const node = recipes(toolchain).find((recipe) => recipe.name === nodeImage);
    const grafana = await grafanaStandIn(toolchain.cacheDir);
    const recipesOfImages: Recipe[] = [
      ...prometheusRecipes(toolchain),
      ...(node === undefined ? [] : [{ ...node, name: images.pushProxy }]),
      haproxyRecipe(images.pushQueue),
      { ...grafana, name: images.grafana },
    ];
    registry = await startRegistry(["quay.io", "docker.io"]);
    // Marks the registry's images, to distinguish them from locally built ones.
    await registry.push(
      recipesOfImages.map((recipe) => ({ ...recipe, env: { ...recipe.env, PULLED: mark(recipe.name) } })),
    );
    process.env.K8SFV_OFFICIAL_IMAGES = "true";
    process.env.CONTAINERS_REGISTRIES_CONF = registry.registriesConf;
    stack = await openTestStack(name);
  });

  afterAll(async () => {
    delete process.env.K8SFV_OFFICIAL_IMAGES;
    delete process.env.CONTAINERS_REGISTRIES_CONF;
    await removeCloud(openCloud(name));
    await registry.close();
  });

  it("runs pods with the pulled images", async () => {
    const outputs = await stack.up();
    expect(outputs).toHaveProperty("PROMPG_URL");
    const ready = ["curl", "--fail", "--silent", `${String(outputs.PROMPG_URL)}/-/ready`];
    expect(await runIn(stack.cloud, ciHost, ready)).toContain("OK");
    for (const [workload, image] of [
      ["prometheus", images.prometheus],
      ["grafana", images.grafana],
    ] as const) {
      const { spec } = await podOf(stack.cloud, workload);
      expect(spec?.containers.map((container) => container.image)).toContain(image);
      expect(await pulled(stack.cloud, workload)).toContain(`PULLED=${mark(image)}`);
    }
  });
});

/** Returns the environment of a workload's processes, which includes the variables of their images. */
async function pulled(cloud: Cloud, workload: string): Promise<string> {
  const pids = await pidsOf(cloud, workload);
  return (await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, "utf8")))).join("\n");
}

function mark(image: string): string {
  return createHash("sha256").update(image).digest("hex").slice(0, 8);
}
