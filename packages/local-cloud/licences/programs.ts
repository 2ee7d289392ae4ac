/** Licences of the runtimes of the project's programs. */
export const RUNTIMES: Readonly<Record<string, string>> = {
  "Node.js": "MIT, with libraries under permissive licences",
  "Go and its standard library": "BSD-3-Clause",
};

/**
 * Licences of the Debian packages that packages/local-cloud/bootstrap.mjs installs for the local cloud and its tests,
 * from /usr/share/doc/PACKAGE/copyright. No deployed program links them.
 */
export const DEBIAN: Readonly<Record<string, string>> = {
  containerd: "Apache-2.0",
  runc: "Apache-2.0",
  iptables: "GPL-2.0-only, Artistic-2.0",
  "containernetworking-plugins": "Apache-2.0",
  haproxy: "GPL-2.0-or-later, LGPL-2.1-only (headers)",
  conntrack: "GPL-2.0-or-later",
  iproute2: "GPL-2.0-only",
  "util-linux": "GPL-2.0-or-later, LGPL-2.1-or-later, BSD-3-Clause",
  procps: "GPL-2.0-or-later, LGPL-2.1-or-later",
  chromium: "BSD-3-Clause, with libraries under other licences",
  "fonts-inter": "OFL-1.1",
  "fonts-liberation": "OFL-1.1",
  skopeo: "Apache-2.0",
  "docker-registry": "Apache-2.0",
  "python3-pip": "MIT",
  "default-jdk-headless": "GPL-2.0-only WITH Classpath-exception-2.0",
  maven: "Apache-2.0",
  "cargo-web": "MIT OR Apache-2.0",
  "libssl-dev": "Apache-2.0",
  "pkg-config": "GPL-2.0-or-later",
};

/** Licences of the official images' programs, by the image's name without its tag. */
export const IMAGES: Readonly<Record<string, string>> = {
  "quay.io/prometheus-operator/prometheus-operator": "Apache-2.0",
  "quay.io/prometheus-operator/prometheus-config-reloader": "Apache-2.0",
  "quay.io/prometheus/prometheus": "Apache-2.0",
  "quay.io/prometheus/alertmanager": "Apache-2.0",
  "quay.io/prometheus/pushgateway": "Apache-2.0",
  "docker.io/library/node": "MIT (Node.js), on Alpine Linux: MIT (musl), GPL-2.0-only (BusyBox) and others",
  "docker.io/library/haproxy":
    "GPL-2.0-or-later, on Alpine Linux: MIT (musl), GPL-2.0-only (BusyBox) and others; run unmodified",
  "docker.io/grafana/grafana": "AGPL-3.0-only: run unmodified, never built, linked or changed",
};
