/** Name of Google's persistent disk driver, which PersistentVolumes give as their driver. */
export const driverName = "pd.csi.storage.gke.io";

/** Label of a node, and key of a PersistentVolume's node affinity, that holds the zone. */
export const zoneKey = "topology.gke.io/zone";

/** The driver as the cluster knows it. Nothing is attached: a disk is a folder, mounted by the node. */
export const csiDriver = {
  apiVersion: "storage.k8s.io/v1",
  kind: "CSIDriver",
  metadata: { name: driverName },
  spec: {
    attachRequired: false,
    podInfoOnMount: false,
    // The kubelet gives the files to a pod's fsGroup, as it does with a real disk.
    fsGroupPolicy: "File",
    volumeLifecycleModes: ["Persistent"],
  },
} as const;
