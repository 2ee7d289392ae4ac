import { images } from "../project/images.ts";

/**
 * Versions that the built programs report. Kubernetes and Pulumi must have the versions in their go.mod files. The
 * plugins must have the versions of the npm packages `@pulumi/kubernetes` and `@pulumiverse/grafana`.
 */
const KUBERNETES = "v1.34.2";
const PULUMI = "v3.259.0";
const KUBERNETES_PLUGIN = "4.25.0";
const GRAFANA_PLUGIN = "2.20.0";

/**
 * Returns the version in an image's tag. The program that the toolchain builds for the image reports this version too.
 */
function imageVersion(image: string): string {
  return /:v([^:@]+)(@|$)/.exec(image)?.[1] ?? "";
}

/** Minimum Go version of all builds (required by Prometheus 3.16). */
export const OLDEST_GO = "1.26.7";

/** Files of a Go module that are copied next to the binaries. */
export interface Copy {
  module: string;
  from: string;
  /** Target directory in the tool's cache directory; "." is the binaries' directory. */
  to: string;
  only: RegExp;
}

/** A Go module of this project and the binaries built from it. */
export interface Tool {
  name: string;
  /** Directory of the Go module, relative to `packages/local-cloud/`. */
  module: string;
  /** Go packages by binary name. */
  binaries: Record<string, string>;
  tags?: string;
  /** Values of the linker's option `-X`. */
  stamps?: Record<string, string>;
  /** Additional build steps (see layout.ts). @default plain `go build` */
  recipe?:
    "alertmanager" | "engine" | "grafana-plugin" | "kubernetes-plugin" | "language-host" | "prometheus";
  copies?: Copy[];
  /** Directories in the tool's cache directory that callers can request by name, like binaries. */
  folders?: string[];
  /** Peak memory in GB, which limits parallel builds. */
  memory: number;
  /** Duration of a cold build on 2 cores in seconds. The longest build starts first. */
  seconds: number;
}

const kubeVersion = "k8s.io/component-base/version";
const prometheusVersion = "github.com/prometheus/common/version.Version";
const operator = "github.com/prometheus-operator/prometheus-operator";
const prometheus = "github.com/prometheus/prometheus";
const alertmanager = "github.com/prometheus/alertmanager";

/** All tools of the local cloud. Versions are pinned in each module's go.mod. */
export const TOOLS: readonly Tool[] = [
  {
    name: "kubernetes",
    module: "toolchain/modules/kubernetes",
    binaries: {
      // One binary with all programs of the control plane and the nodes. The name under which the binary is called
      // selects the program (kubernetesPrograms in environment/prepare.ts).
      kubernetes: ".",
      kubectl: "k8s.io/kubernetes/cmd/kubectl",
    },
    // Without a version, the API server reports v0.0.0 and clients misjudge its features.
    stamps: {
      [`${kubeVersion}.gitVersion`]: KUBERNETES,
      [`${kubeVersion}.gitMajor`]: "1",
      [`${kubeVersion}.gitMinor`]: "34",
      [`${kubeVersion}.gitTreeState`]: "clean",
    },
    memory: 4,
    seconds: 580,
  },
  {
    name: "pulumi",
    module: "toolchain/modules/pulumi",
    binaries: { pulumi: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
    stamps: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": PULUMI },
    recipe: "engine",
    memory: 3,
    seconds: 260,
  },
  {
    name: "pulumi-resource-kubernetes",
    module: "toolchain/modules/pulumi-resource-kubernetes",
    binaries: { "pulumi-resource-kubernetes": "." },
    stamps: { "main.version": KUBERNETES_PLUGIN },
    recipe: "kubernetes-plugin",
    memory: 2,
    seconds: 95,
  },
  {
    name: "pulumi-resource-grafana",
    module: "toolchain/modules/pulumi-resource-grafana",
    binaries: { "pulumi-resource-grafana": "." },
    stamps: { "main.version": GRAFANA_PLUGIN, "main.upstreamVersion": "4.25.0" },
    recipe: "grafana-plugin",
    memory: 2,
    seconds: 65,
  },
  {
    name: "prometheus-operator",
    module: "toolchain/modules/prometheus-operator",
    binaries: {
      operator: `${operator}/cmd/operator`,
      "prometheus-config-reloader": `${operator}/cmd/prometheus-config-reloader`,
    },
    stamps: { [prometheusVersion]: imageVersion(images.operator) },
    memory: 2,
    seconds: 80,
  },
  {
    // Only the operator's CRDs, for a cloud that runs the operator's official image.
    name: "operator-crds",
    module: "toolchain/modules/prometheus-operator",
    binaries: {},
    copies: [{ module: operator, from: "example/prometheus-operator-crd", to: "crds", only: /\.yaml$/ }],
    folders: ["crds"],
    memory: 1,
    seconds: 5,
  },
  {
    name: "prometheus",
    module: "toolchain/modules/prometheus",
    binaries: { prometheus: `${prometheus}/cmd/prometheus`, promtool: `${prometheus}/cmd/promtool` },
    // Builds only the service discoveries that are used. The other ones have a dependency that some module proxies
    // don't serve.
    tags: "remove_all_sd,enable_kubernetes_sd,enable_dns_sd,builtinassets",
    stamps: { [prometheusVersion]: imageVersion(images.prometheus) },
    recipe: "prometheus",
    memory: 2,
    seconds: 195,
  },
  {
    name: "alertmanager",
    module: "toolchain/modules/alertmanager",
    binaries: { alertmanager: `${alertmanager}/cmd/alertmanager`, amtool: `${alertmanager}/cmd/amtool` },
    stamps: { [prometheusVersion]: imageVersion(images.alertmanager) },
    recipe: "alertmanager",
    memory: 2,
    seconds: 65,
  },
  {
    name: "coredns",
    module: "toolchain/modules/coredns",
    binaries: { coredns: "." },
    memory: 2,
    seconds: 30,
  },
  {
    name: "pulumi-language-nodejs",
    module: "toolchain/modules/pulumi-language-nodejs",
    binaries: {
      "pulumi-language-nodejs": "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    },
    recipe: "language-host",
    // The engine looks for these launcher scripts, e.g. pulumi-resource-pulumi-nodejs, in the language host's
    // directory.
    copies: [
      { module: "github.com/pulumi/pulumi/sdk/v3", from: "nodejs/dist", to: ".", only: /^pulumi-[a-z-]+$/ },
    ],
    memory: 1,
    seconds: 100,
  },
  {
    name: "etcd",
    module: "toolchain/modules/etcd",
    binaries: { etcd: "go.etcd.io/etcd/server/v3" },
    memory: 1,
    seconds: 40,
  },
  {
    name: "pushgateway",
    module: "toolchain/modules/pushgateway",
    binaries: { pushgateway: "github.com/prometheus/pushgateway" },
    stamps: { [prometheusVersion]: imageVersion(images.pushGateway) },
    memory: 1,
    seconds: 20,
  },
  {
    name: "sample-run",
    module: "sample-run",
    binaries: { "sample-run": "." },
    memory: 1,
    seconds: 20,
  },
  {
    name: "history",
    module: "history",
    binaries: { history: "." },
    memory: 2,
    seconds: 20,
  },
  {
    name: "machine-init",
    module: "machine-init",
    binaries: { "machine-init": "." },
    memory: 1,
    seconds: 10,
  },
  {
    name: "pause",
    module: "toolchain/modules/pause",
    binaries: { pause: "." },
    memory: 1,
    seconds: 10,
  },
];

/** Tools that only `npm run test-long` uses and builds. */
export const TEST_TOOLS: readonly Tool[] = [
  {
    // A long-term store (tests/environment/thanos.ts).
    name: "thanos",
    module: "toolchain/modules/thanos",
    binaries: { thanos: "github.com/thanos-io/thanos/cmd/thanos" },
    // Thanos's code requires this tag (.promu.yml), because it converts its own labels to Prometheus's slices
    // of labels without copying them.
    tags: "slicelabels",
    memory: 3,
    seconds: 300,
  },
];

/** All tools. */
export const ALL_TOOLS: readonly Tool[] = [...TOOLS, ...TEST_TOOLS];
