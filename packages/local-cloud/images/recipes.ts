import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { builtNames } from "./names.ts";

/** A directory, file or text in an image's layer. Owner and mode are those inside the image. */
export interface LayerEntry {
  /** Absolute path inside the image. */
  path: string;
  /**
   * Content of the entry: a copy of a file or directory tree of this computer (`file` and `tree` are paths), or the
   * text itself.
   *
   * @default an empty directory
   */
  content?: { file: string } | { tree: string } | { text: string };
  /**
   * Mode of the directory or file. Ignored for a `tree`: its directories and executable files have mode 0755, all
   * others 0644.
   * @default 0644 for a `text`, otherwise 0755
   */
  mode?: number;
  /** Owner. @default 0 (root) */
  uid?: number;
  /** Group. @default `uid` */
  gid?: number;
}

/** Definition of an image. */
export interface Recipe {
  /** Full image reference with its tag. */
  name: string;
  entries: LayerEntry[];
  entrypoint: string[];
  /** Default arguments of the entry point (Docker's CMD). A container's `args` in a pod replace them. */
  command?: string[];
  /** `uid` or `uid:gid`. @default root */
  user?: string;
  /** Working directory. @default `/` */
  workingDir?: string;
  /** Signal that stops the container. @default SIGTERM */
  stopSignal?: string;
  /** Environment variables besides PATH. */
  env?: Record<string, string>;
  /** Directories at the start of PATH. */
  path?: string[];
}

/** Finds built binaries. Implemented by the toolchain. */
export interface Binaries {
  /** Returns the path of a binary. The path contains the cache key of the binary's sources. */
  path(name: string): string;
  /** Path of Node's binary. @default the running one */
  readonly node?: string;
}

/** Image of each pod's sandbox container (`sandbox_image` in containerd's configuration). */
export const pauseImage = "localhost/k8sfv/pause:1";

/** Image of the cluster's DNS. */
export const corednsImage = "localhost/k8sfv/coredns:1.13.1";

/** Image of the Grafana stand-in (packages/local-cloud/grafana), which the stack `local` uses. */
export const grafanaImage = "localhost/k8sfv/grafana-stand-in:1.0.0";

/** Image of the push proxy in the stack `local`. It contains this computer's Node, of any version. */
export const nodeImage = "localhost/k8sfv/node:20.0.0-machine";

/** UID of user "nobody" in the Prometheus project's images. */
const nobody = 65534;

/** UID of Grafana's user. Its GID is 0 so that any user in the root group can write the data directory. */
const grafanaUser = 472;

/** Image with this computer's HAProxy, which the stack `local` uses. */
export const haproxyImage = "localhost/k8sfv/haproxy:2.6.0-machine";

/** UID of the user in HAProxy's official image. */
const haproxyUser = 99;

/**
 * Returns the images of the local cloud, with the users, directories and entry points of the official images
 * (each project's Dockerfile at the version in versions.ts).
 */
export function recipes(binaries: Binaries): Recipe[] {
  return [...clusterRecipes(binaries), ...prometheusRecipes(binaries), nodeRecipe(binaries), haproxyRecipe()];
}

/** Returns the images of the cluster itself, which are in no registry. */
export function clusterRecipes(binaries: Binaries): Recipe[] {
  return [
    {
      name: pauseImage,
      entries: [{ path: "/pause", content: { file: binaries.path("pause") } }],
      entrypoint: ["/pause"],
      user: "65535:65535",
    },
    {
      // Runs as root to listen on port 53: layers that writeLayer writes have no file capabilities.
      name: corednsImage,
      entries: [{ path: "/coredns", content: { file: binaries.path("coredns") } }],
      entrypoint: ["/coredns"],
    },
  ];
}

/** Names of the images of {@link prometheusRecipes}. */
export type PrometheusImages = Record<
  "operator" | "configReloader" | "prometheus" | "alertmanager" | "pushGateway",
  string
>;

/** Returns the images with programs of the Prometheus project. */
export function prometheusRecipes(
  binaries: Pick<Binaries, "path">,
  names: PrometheusImages = builtNames(),
): Recipe[] {
  const program = (name: string): LayerEntry => ({
    path: `/bin/${name}`,
    content: { file: binaries.path(name) },
  });
  const server = (name: "prometheus" | "alertmanager", tool: string, storageFlag: string): Recipe => ({
    name: names[name],
    entries: [
      program(name),
      program(tool),
      { path: `/etc/${name}`, uid: nobody },
      { path: `/${name}`, uid: nobody, mode: 0o775 },
    ],
    entrypoint: [`/bin/${name}`],
    command: [`--config.file=/etc/${name}/${name}.yml`, `${storageFlag}=/${name}`],
    user: `${nobody}`,
    workingDir: `/${name}`,
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
    server("prometheus", "promtool", "--storage.tsdb.path"),
    server("alertmanager", "amtool", "--storage.path"),
    {
      name: names.pushGateway,
      // The official image is based on busybox, and an init container copies the program with busybox's cp.
      entries: [program("pushgateway"), ...linked("/bin/cp"), { path: "/pushgateway", uid: nobody }],
      entrypoint: ["/bin/pushgateway"],
      user: `${nobody}`,
      workingDir: "/pushgateway",
    },
  ];
}

/**
 * Returns the image of the Grafana stand-in. It has the user, directories and PATH of Grafana's image, and contains the
 * Node that runs this program, or `files.node`.
 *
 * @param files.bin directory with the executable `grafana` and its data files
 * @param files.pages directory with the built pages. @default no pages
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
      // Makes the cache key depend on Node's version, because the path of Node doesn't contain it.
      NODE_VERSION: process.version,
      // By default, V8's heap and glibc's arenas grow with the computer's memory and cores. These limits save 40 MiB at
      // rest.
      NODE_OPTIONS: "--max-old-space-size=96 --max-semi-space-size=1",
      MALLOC_ARENA_MAX: "1",
    },
    path: [`${home}/bin`, "/usr/local/bin"],
  };
}

/** Returns an image with this computer's Node and a shell, like the official Node image. */
function nodeRecipe({ node }: Binaries): Recipe {
  return {
    name: nodeImage,
    entries: unique([...nodeEntries(node), ...linked("/bin/sh")]),
    entrypoint: ["/usr/local/bin/node"],
    user: `${nobody}`,
    // Makes the cache key depend on Node's version, because the path of Node doesn't contain it.
    env: { NODE_VERSION: process.version },
    path: ["/usr/local/bin"],
  };
}

/**
 * Returns the image of this computer's HAProxy, with the path, user and stop signal of the official image.
 *
 * @param name - default: the name in the stack `local`
 */
export function haproxyRecipe(name = haproxyImage): Recipe {
  return {
    name,
    entries: linked(whichHaproxy(), "/usr/local/sbin/haproxy"),
    entrypoint: ["/usr/local/sbin/haproxy"],
    user: `${haproxyUser}`,
    stopSignal: "SIGUSR1",
    path: ["/usr/local/sbin"],
  };
}

/** Returns the path of HAProxy. Debian installs it in /usr/sbin, which is not on every PATH. */
function whichHaproxy(): string {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin"];
  return folders.map((folder) => `${folder}/haproxy`).find((file) => existsSync(file)) ?? "haproxy";
}

/** Returns Node's binary and its shared libraries. */
function nodeEntries(node = process.execPath): LayerEntry[] {
  return linked(node, "/usr/local/bin/node");
}

/** Returns a program of this computer and its shared libraries. */
function linked(file: string, inImage = file): LayerEntry[] {
  // ldd fails for a static program, which has no libraries.
  const { stdout } = spawnSync("ldd", [file], { encoding: "utf8" });
  const libraries = [...stdout.matchAll(/(\/\S+) \(/g)].map(([, library = ""]) => library);
  return [
    { path: inImage, content: { file: realpathSync(file) } },
    ...libraries.map((library) => ({ path: library, content: { file: realpathSync(library) } })),
  ];
}

function unique(entries: LayerEntry[]): LayerEntry[] {
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}
