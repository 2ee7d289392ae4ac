import { Disk } from "@pulumi/gcp/compute/disk.js";
import { DiskResourcePolicyAttachment } from "@pulumi/gcp/compute/diskResourcePolicyAttachment.js";
import { ResourcePolicy } from "@pulumi/gcp/compute/resourcePolicy.js";
import * as pulumi from "@pulumi/pulumi";

import type { DisksConfig } from "../config/schema-cloud.ts";
import type { StackLabels } from "./stack-labels.ts";

/** Arguments of the Disks component. */
export interface DisksArgs extends DisksConfig {
  /** Prefix of the disks' names. */
  prefix: string;
  /** Google region of the zone, where the snapshots are stored. */
  region: string;
  /** Google zone of the cluster: a zonal disk can be attached only in its own zone. */
  zone: string;
  /** Labels of the disks and their snapshots. */
  labels: StackLabels;
  /** Enabled APIs, which the disks depend on. */
  apis: pulumi.Input<pulumi.Resource[]>;
}

/** Time in UTC from which Google takes the daily snapshot, after the nightly runs of both Europe and America. */
const SNAPSHOT_TIME = "12:00";
/** Days for which a snapshot is kept. */
const SNAPSHOT_DAYS = 14;

/** Reference to a disk, for a workload. */
export interface DiskRef {
  /** ID in the CSI driver's format: projects/PROJECT/zones/ZONE/disks/NAME. */
  id: pulumi.Output<string>;
  /** Size in GiB. */
  sizeGb: number;
}

/**
 * Creates the disks of the stateful workloads. They are independent of pods and of the cluster, so they survive the
 * cluster's deletion or replacement. Daily snapshots protect against mistakes; they are kept when a disk is deleted.
 */
export class Disks extends pulumi.ComponentResource {
  /** Disk for five years of series. */
  readonly prometheus: DiskRef;
  /** Disk for the Pushgateway's metric groups. */
  readonly pushGateway: DiskRef;
  /** Disk for Grafana's database. */
  readonly grafana: DiskRef;
  /** Disk for silences and the notification log. */
  readonly alertmanager: DiskRef;

  constructor(name: string, args: DisksArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:google:Disks", name, {}, opts);
    const schedule = new ResourcePolicy(
      `${name}-snapshots`,
      {
        name: `${args.prefix}-snapshots`,
        description: `Daily snapshots of the disks of ${args.prefix}`,
        region: args.region,
        snapshotSchedulePolicy: {
          schedule: { dailySchedule: { daysInCycle: 1, startTime: SNAPSHOT_TIME } },
          retentionPolicy: {
            maxRetentionDays: SNAPSHOT_DAYS,
            onSourceDiskDelete: "KEEP_AUTO_SNAPSHOTS",
          },
          snapshotProperties: { storageLocations: args.region, labels: args.labels },
        },
      },
      { parent: this, dependsOn: args.apis },
    );

    const make = (what: string, sizeGb: number): DiskRef => {
      const disk = new Disk(
        `${name}-${what}`,
        {
          name: `${args.prefix}-${what}`,
          description: `Data of the ${what} of ${args.prefix}`,
          zone: args.zone,
          type: "pd-balanced",
          size: sizeGb,
          labels: { ...args.labels, component: what },
        },
        {
          parent: this,
          protect: args.protect,
          dependsOn: args.apis,
          // A disk that was created from a snapshot by hand (docs/rebuild.md) has other values of `snapshot` and
          // `description`. Both are immutable, so a difference would replace the disk.
          ignoreChanges: ["snapshot", "description"],
        },
      );
      new DiskResourcePolicyAttachment(
        `${name}-${what}-snapshots`,
        { name: schedule.name, disk: disk.name, zone: args.zone },
        { parent: this },
      );
      return { id: disk.id, sizeGb };
    };

    this.prometheus = make("prometheus", args.prometheusGb);
    this.pushGateway = make("push-gateway", args.pushGatewayGb);
    this.grafana = make("grafana", args.grafanaGb);
    this.alertmanager = make("alertmanager", args.alertmanagerGb);
    this.registerOutputs({
      prometheus: this.prometheus.id,
      pushGateway: this.pushGateway.id,
      grafana: this.grafana.id,
      alertmanager: this.alertmanager.id,
    });
  }
}
