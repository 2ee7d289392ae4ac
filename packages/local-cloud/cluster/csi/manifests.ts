/** Name of Google's persistent disk CSI driver. */
export const driverName = "pd.csi.storage.gke.io";

/** Topology key of the zone, in node labels and in the node affinity of PersistentVolumes. */
export const zoneKey = "topology.gke.io/zone";

/** The CSIDriver object. There is no attach step: a disk is a directory, which the node bind-mounts. */
export const csiDriver = {
  apiVersion: "storage.k8s.io/v1",
  kind: "CSIDriver",
  metadata: { name: driverName },
  spec: {
    attachRequired: false,
    podInfoOnMount: false,
    // As on GKE, the kubelet changes the volume's group to the pod's fsGroup.
    fsGroupPolicy: "File",
    volumeLifecycleModes: ["Persistent"],
  },
} as const;
