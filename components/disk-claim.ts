import { PersistentVolume } from "@pulumi/kubernetes/core/v1/persistentVolume.js";
import { PersistentVolumeClaim } from "@pulumi/kubernetes/core/v1/persistentVolumeClaim.js";
import * as pulumi from "@pulumi/pulumi";
import type { DiskRef } from "./disks.ts";

/** What the claim of a disk needs to know. */
export interface DiskClaimArgs {
  /** The namespace it lives in. */
  namespace: pulumi.Input<string>;
  /** The claim's name; for a StatefulSet it has to be TEMPLATE-SET-0. */
  claimName: string;
  /** The volume's name; it belongs to the whole cluster. */
  volumeName: string;
  /** Where its data lies. */
  disk: DiskRef;
}

/**
 * What a claim asks for. It gets the whole disk whatever it asks for, and a claim of a static volume can't
 * ask for more later: so the disk can grow and the claim stays.
 */
export const CLAIMED = { storage: "1Gi" };
/** The file system that the driver makes on an empty disk. */
const FS_TYPE = "ext4";

/**
 * An existing disk, as a volume that one claim of one namespace gets and keeps. Nothing is provisioned:
 * deleting claim and volume leaves the disk and what is on it.
 */
export class DiskClaim extends pulumi.ComponentResource {
  /** The claim's name, once it is bound. */
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
      // Another disk, another volume: most of a volume's spec can't be changed.
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
