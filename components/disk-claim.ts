import { PersistentVolume } from "@pulumi/kubernetes/core/v1/persistentVolume.js";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim.js";
import * as pulumi from "@pulumi/pulumi";
import type { DiskRef } from "./disks.ts";

/** Arguments of the DiskClaim component. */
export interface DiskClaimArgs {
  /** Namespace of the claim. */
  namespace: pulumi.Input<string>;
  /** Name of the claim. A StatefulSet requires "TEMPLATE-STATEFULSET-0". */
  claimName: string;
  /** Name of the volume, unique in the cluster. */
  volumeName: string;
  /** Disk to claim. */
  disk: DiskRef;
}

/**
 * Requested storage of each claim. A claim gets the whole disk regardless of its request. The request is small and
 * fixed because a claim of a static volume can't be expanded, while the disk can.
 */
export const CLAIMED = { storage: "1Gi" };
/** The file system that the CSI driver creates on an empty disk. */
const FS_TYPE = "ext4";

/**
 * Binds an existing disk to one claim, as a static PersistentVolume with the reclaim policy Retain. Deleting the claim
 * and the volume keeps the disk and its data.
 */
export class DiskClaim extends pulumi.ComponentResource {
  /** Name of the claim, known when the claim is bound. */
  readonly claimName: pulumi.Output<string>;

  constructor(name: string, args: DiskClaimArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:DiskClaim", name, {}, opts);
    const volume = new PersistentVolume(
      `${name}-volume`,
      {
        metadata: { name: args.volumeName },
        spec: {
          capacity: { storage: `${args.disk.sizeGb}Gi` },
          accessModes: ["ReadWriteOnce"],
          persistentVolumeReclaimPolicy: "Retain",
          storageClassName: "",
          volumeMode: "Filesystem",
          claimRef: {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            namespace: args.namespace,
            name: args.claimName,
          },
          csi: { driver: "pd.csi.storage.gke.io", volumeHandle: args.disk.id, fsType: FS_TYPE },
        },
      },
      // Most of a volume's spec is immutable, so a changed disk or claim replaces the volume.
      { parent: this, deleteBeforeReplace: true, replaceOnChanges: ["spec.csi", "spec.claimRef.name"] },
    );
    const claim = new PersistentVolumeClaim(
      `${name}-claim`,
      {
        metadata: { name: args.claimName, namespace: args.namespace },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "",
          volumeName: volume.metadata.name,
          volumeMode: "Filesystem",
          resources: { requests: CLAIMED },
        },
      },
      { parent: this, deleteBeforeReplace: true, customTimeouts: { create: "2m", delete: "5m" } },
    );

    this.claimName = claim.metadata.name;
    this.registerOutputs({ claimName: this.claimName });
  }
}
