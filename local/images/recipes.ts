import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { images } from "../../versions.ts";

/** A folder, file or text of an image's layer. Owner and mode are those inside the image. */
export interface LayerEntry {
  /** Absolute path inside the image. */
  path: string;
  /** Default: a folder, empty. `file` and `tree` are paths on this machine; a tree is a folder with all below it. */
  content?: { file: string } | { tree: string } | { text: string };
  /** Default 0755 for folders and files, 0644 for texts. A tree keeps only who may execute. */
  mode?: number;
  /** Default 0 (root). */
  uid?: number;
  /** Default: as `uid`. */
  gid?: number;
}

/** Everything that determines an image. */
export interface Recipe {
  /** Full name with its tag, as a pod writes it. */
  name: string;
  entries: LayerEntry[];
  entrypoint: string[];
  /** Arguments that a pod's `args` replace. */
  command?: string[];
  /** `uid` or `uid:gid`. Default: root. */
  user?: string;
  /** Default `/`. */
  workingDir?: string;
  /** Added to PATH. */
  env?: Record<string, string>;
  /** Folders in front of the usual PATH. */
  path?: string[];
}

/** Where built binaries lie; the toolchain is one. */
export interface Binaries {
  /** Path of a binary, which contains the key of what it was built from. */
  path(name: string): string;
  /** Node's binary. @default the one that runs this */
  readonly node?: string;
}

/** Name of the sandbox image, for `sandbox_image` of a node's containerd. */
export const pauseImage = "localhost/k8sfv/pause:1";

/** Name of the image of the cluster's DNS. */
export const corednsImage = "localhost/k8sfv/coredns:1.13.1";

/** Name of the Grafana that can be built from its Go module; the stack `local` asks for it. */
export const grafanaImage = "localhost/k8sfv/grafana:10.0.0";

/** Name of the image with the machine's own Node; the stack `local` asks for it. */
export const nodeImage = "localhost/k8sfv/node:20.0.0-machine";

/** User "nobody" of the Prometheus project's images. */
const nobody = 65534;

/**
 * The images of the environment, with the users, folders and entry points of those that their projects
 * publish (each project's Dockerfile at the version in versions.ts).
 */
export function recipes(binaries: Binaries): Recipe[] {
  return [...clusterRecipes(binaries), ...prometheusRecipes(binaries), nodeRecipe(binaries)];
}

function clusterRecipes(binaries: Binaries): Recipe[] {
  return [
    {
      name: pauseImage,
      entries: [{ path: "/pause", content: { file: binaries.path("pause") } }],
      entrypoint: ["/pause"],
      user: "65535:65535",
    },
    {
      // As root, since it listens on port 53 and file capabilities are not worth a second kind of layer.
      name: corednsImage,
      entries: [{ path: "/coredns", content: { file: binaries.path("coredns") } }],
      entrypoint: ["/coredns"],
    },
  ];
}

/** Names of the images that `prometheusRecipes` makes. */
export type PrometheusImages = Record<
  "operator" | "configReloader" | "prometheus" | "alertmanager" | "pushGateway",
  string
>;

/** The images with programs of the Prometheus project, under the names of versions.ts or others. */
export function prometheusRecipes(
  binaries: Pick<Binaries, "path">,
  names: PrometheusImages = images,
): Recipe[] {
  const program = (name: string): LayerEntry => ({
    path: `/bin/${name}`,
    content: { file: binaries.path(name) },
  });
  return [
    {
      name: names.operator,
      entries: [program("operator")],
      entrypoint: ["/bin/operator"],
      user: `${nobody}`,
    },
    {
      name: names.configReloader,
      entries: [program("prometheus-config-reloader")],
      entrypoint: ["/bin/prometheus-config-reloader"],
      user: `${nobody}`,
    },
    {
      name: names.prometheus,
      entries: [
        program("prometheus"),
        program("promtool"),
        { path: "/etc/prometheus", uid: nobody },
        { path: "/prometheus", uid: nobody, mode: 0o775 },
      ],
      entrypoint: ["/bin/prometheus"],
      command: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
      user: `${nobody}`,
      workingDir: "/prometheus",
    },
    {
      name: names.alertmanager,
      entries: [
        program("alertmanager"),
        program("amtool"),
        { path: "/etc/alertmanager", uid: nobody },
        { path: "/alertmanager", uid: nobody, mode: 0o775 },
      ],
      entrypoint: ["/bin/alertmanager"],
      command: ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"],
      user: `${nobody}`,
      workingDir: "/alertmanager",
    },
    {
      name: names.pushGateway,
      entries: [program("pushgateway"), { path: "/pushgateway", uid: nobody }],
      entrypoint: ["/bin/pushgateway"],
      user: `${nobody}`,
      workingDir: "/pushgateway",
    },
  ];
}

/** Node as it runs here, with the libraries that it is linked to. */
function nodeRecipe({ node = process.execPath }: Binaries): Recipe {
  // Fails for what is linked to none.
  const { stdout } = spawnSync("ldd", [node], { encoding: "utf8" });
  const libraries = [...stdout.matchAll(/(\/\S+) \(/g)].map(([, file = ""]) => file);
  return {
    name: nodeImage,
    entries: [
      { path: "/usr/local/bin/node", content: { file: realpathSync(node) } },
      ...libraries.map((file) => ({ path: file, content: { file: realpathSync(file) } })),
    ],
    entrypoint: ["/usr/local/bin/node"],
    user: `${nobody}`,
    // Another version in the same place is another image.
    env: { NODE_VERSION: process.version },
    path: ["/usr/local/bin"],
  };
}
