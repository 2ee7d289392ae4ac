import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { builtNames } from "./names.ts";

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

/** Name of the image with the stand-in for Grafana (local/grafana); the stack `local` asks for it. */
export const grafanaImage = "localhost/k8sfv/grafana-stand-in:1.0.0";

/** Name of the image with the machine's own Node; the stack `local` asks for it. */
export const nodeImage = "localhost/k8sfv/node:20.0.0-machine";

/** User "nobody" of the Prometheus project's images. */
const nobody = 65534;

/** User of Grafana's image; its group is 0, so that any user of the root group may write its folders. */
const grafanaUser = 472;

/**
 * The images of the environment, with the users, folders and entry points of those that their projects
 * publish (each project's Dockerfile at the version in versions.ts).
 */
export function recipes(binaries: Binaries): Recipe[] {
  return [...clusterRecipes(binaries), ...prometheusRecipes(binaries), nodeRecipe(binaries)];
}

/** Images of the cluster itself, which no registry has under these names. */
export function clusterRecipes(binaries: Binaries): Recipe[] {
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
  names: PrometheusImages = builtNames(),
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
      // The official image is based on busybox; an init container copies the program with its cp.
      entries: [program("pushgateway"), ...linked("/bin/cp"), { path: "/pushgateway", uid: nobody }],
      entrypoint: ["/bin/pushgateway"],
      user: `${nobody}`,
      workingDir: "/pushgateway",
    },
  ];
}

/**
 * The stand-in for Grafana, laid out as Grafana's own image: user, folders and `grafana` on the PATH, run by this
 * machine's Node.
 *
 * @param files.bin folder with the executable `grafana` and what it reads beside itself
 * @param files.pages folder with the built pages
 */
export function grafanaRecipe(files: { bin: string; pages?: string; node?: string }): Recipe {
  const home = "/usr/share/grafana";
  const own = { uid: grafanaUser, gid: 0, mode: 0o775 };
  return {
    name: grafanaImage,
    entries: [
      ...nodeEntries(files.node),
      { path: `${home}/bin`, content: { tree: files.bin } },
      ...(files.pages === undefined
        ? []
        : [{ path: `${home}/public/build`, content: { tree: files.pages } }]),
      { path: "/var/lib/grafana", ...own },
    ],
    entrypoint: ["grafana", "server", `--homepath=${home}`, "cfg:default.paths.data=/var/lib/grafana"],
    user: `${grafanaUser}`,
    workingDir: home,
    env: {
      // Another version of Node in the same place is another image.
      NODE_VERSION: process.version,
      // V8 and glibc size themselves by the whole machine's memory and cores. These limits save 25 MiB at rest.
      NODE_OPTIONS: "--max-old-space-size=96 --max-semi-space-size=2",
      MALLOC_ARENA_MAX: "1",
    },
    path: [`${home}/bin`, "/usr/local/bin"],
  };
}

/** Node as it runs here, and a shell, as the official image has one. */
function nodeRecipe({ node }: Binaries): Recipe {
  return {
    name: nodeImage,
    entries: withoutRepeats([...nodeEntries(node), ...linked("/bin/sh")]),
    entrypoint: ["/usr/local/bin/node"],
    user: `${nobody}`,
    // Another version in the same place is another image.
    env: { NODE_VERSION: process.version },
    path: ["/usr/local/bin"],
  };
}

/** Node's binary, with the libraries that it is linked to. */
function nodeEntries(node = process.execPath): LayerEntry[] {
  return linked(node, "/usr/local/bin/node");
}

/** A program of this machine, with the libraries that it is linked to. */
function linked(file: string, inImage = file): LayerEntry[] {
  // Fails for a program without libraries.
  const { stdout } = spawnSync("ldd", [file], { encoding: "utf8" });
  const libraries = [...stdout.matchAll(/(\/\S+) \(/g)].map(([, library = ""]) => library);
  return [
    { path: inImage, content: { file: realpathSync(file) } },
    ...libraries.map((library) => ({ path: library, content: { file: realpathSync(library) } })),
  ];
}

function withoutRepeats(entries: LayerEntry[]): LayerEntry[] {
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}
